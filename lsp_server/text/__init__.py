"""Pure text work: positions in every encoding the protocol knows, edits and minimal diffs."""
