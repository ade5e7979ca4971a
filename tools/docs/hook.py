"""What MkDocs calls when it builds the site (``hooks`` in mkdocs.yml)."""

from __future__ import annotations

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files, InclusionLevel

from tools.docs.site import is_in_navigation, pages


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Put our pages in the place of the files that lie in ``docs/``."""
    for page, text in pages().items():
        if lying := files.get_file_from_path(page):
            files.remove(lying)
        inclusion = InclusionLevel.INCLUDED if is_in_navigation(page) else InclusionLevel.NOT_IN_NAV
        files.append(File.generated(config, page, content=text, inclusion=inclusion))
    return files
