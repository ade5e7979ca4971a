from __future__ import annotations

import math
import struct
import sys
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lsp_server.errors import InvalidModelFileError
from lsp_server.models.gguf.head import GgufHead, LongValue
from lsp_server.models.gguf.reader import HeadGoesOnError, parse_head, printable, read_head
from lsp_server.models.gguf.tensor_types import TENSOR_TYPES
from tests.support import gguf
from tests.support.gguf import GgufFile, Plain, TensorInfo, Typed

MB = 1 << 20
HUGE = [1 << 63, (1 << 64) - 1, (1 << 61) + 1]

SMALL = GgufFile(
    {
        "general.architecture": "llama",
        "llama.block_count": 2,
        "llama.rope.freq_base": 1e4,
        "tokenizer.ggml.tokens": ["<s>", "a", "▁b"],
        "tokenizer.ggml.scores": [0.0, -1.5, -2.5],
        "tokenizer.ggml.add_bos_token": True,
    },
    [TensorInfo("token_embd.weight", (32, 3), gguf.Q8_0), TensorInfo("output_norm.weight", (32,))],
)


@pytest.fixture
def read(tmp_path: Path) -> Callable[[GgufFile | bytes], GgufHead]:
    """Write a file and read its head."""

    def read_(file: GgufFile | bytes) -> GgufHead:
        path = tmp_path / "m.gguf"
        path.write_bytes(file if isinstance(file, bytes) else file.bytes())
        return read_head(path)

    return read_


@pytest.fixture
def refusal(read: Callable[[GgufFile | bytes], GgufHead], tmp_path: Path) -> Callable[[GgufFile | bytes], str]:
    """What a person is told about a file that must be refused."""

    def refusal_(file: GgufFile | bytes) -> str:
        with pytest.raises(InvalidModelFileError) as caught:
            read(file)
        assert str(tmp_path / "m.gguf") in caught.value.message
        assert caught.value.hint
        return caught.value.message

    return refusal_


@contextmanager
def few_megabytes(limit: int = 4 * MB) -> Iterator[None]:
    """What happens within allocates little."""
    tracemalloc.start()
    try:
        yield
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < limit


class TestMetadata:
    @pytest.mark.parametrize("version", [2, 3])
    @pytest.mark.parametrize(
        ("kind", "value"),
        [
            (gguf.UINT8, 255),
            (gguf.INT8, -128),
            (gguf.UINT16, 65535),
            (gguf.INT16, -32768),
            (gguf.UINT32, 4294967295),
            (gguf.INT32, -2147483648),
            (gguf.FLOAT32, 0.15625),
            (gguf.FLOAT32, math.inf),
            (gguf.BOOL, True),
            (gguf.BOOL, False),
            (gguf.STRING, "naïve <｜fim▁begin｜>"),
            (gguf.STRING, ""),
            (gguf.UINT64, 18446744073709551615),
            (gguf.INT64, -9223372036854775808),
            (gguf.FLOAT64, 0.1),
        ],
    )
    def test_every_type_alone_and_in_an_array(
        self, read: Callable[[GgufFile], GgufHead], version: int, kind: int, value: Plain
    ) -> None:
        file = GgufFile(
            {
                "one": Typed(kind, value),
                "many": Typed(gguf.ARRAY, [value, value], kind),
                "none": Typed(gguf.ARRAY, [], kind),
                "after": "all was read to its end",
            },
            version=version,
        )
        head = read(file)
        expected = {"one": value, "many": (value, value), "none": (), "after": "all was read to its end"}
        assert head.metadata == expected
        assert type(head.metadata["one"]) is type(value)
        assert head.version == version

    def test_typed_access(self, read: Callable[[GgufFile], GgufHead]) -> None:
        head = read(GgufFile({"int": 7, "true": True, "text": "x", "float": 1.0, "list": [1]}))
        assert [head.integer(key) for key in ("int", "true", "text", "float", "list", "absent")] == [7, *[None] * 5]
        assert [head.text(key) for key in ("text", "int", "list", "absent")] == ["x", None, None, None]

    def test_a_long_array_is_remembered_by_its_length(self, read: Callable[[GgufFile], GgufHead]) -> None:
        head = read(GgufFile({"kept": [1] * 4096, "long": [1] * 4097, "after": 5}))
        assert head.metadata == {"kept": (1,) * 4096, "long": LongValue(4097), "after": 5}

    def test_fill_in_the_middle_is_noticed_in_a_long_vocabulary(self, read: Callable[[GgufFile], GgufHead]) -> None:
        words = [f"w{n}" for n in range(5000)]
        words[3] = "<PRE>"
        words[4000] = "<｜fim▁hole｜>"
        words[-1] = "<fim_middle>"
        words[7] = "<fim_nothing>"  # as long as one that is noticed, and none
        head = read(GgufFile({"tokenizer.ggml.tokens": words, "after": 5}))
        found = ("<PRE>", "<｜fim▁hole｜>", "<fim_middle>")
        assert head.metadata == {"tokenizer.ggml.tokens": LongValue(5000, found), "after": 5}

    def test_a_long_text_is_remembered_by_its_length(self, read: Callable[[GgufFile], GgufHead]) -> None:
        file = GgufFile({"kept": "x" * MB, "long": "x" * (MB + 1), "among": ["a", "x" * (MB + 1)], "after": 5})
        head = read(file)
        assert head.metadata == {"kept": "x" * MB, "long": LongValue(MB + 1), "among": LongValue(2), "after": 5}

    def test_text_that_is_not_utf_8_is_shown_as_well_as_can_be(self, read: Callable[[GgufFile], GgufHead]) -> None:
        head = read(GgufFile({"general.name": b"caf\xe9"}))
        assert head.metadata["general.name"] == "caf\ufffd"

    def test_names_that_differ_in_invalid_bytes_are_two(self, read: Callable[[GgufFile], GgufHead]) -> None:
        head = read(GgufFile([(b"k\xe9", 1), (b"k\xe8", 2)], [TensorInfo(b"t\xff"), TensorInfo(b"t\xfe")]))
        assert sorted(map(str, head.metadata.values())) == ["1", "2"]
        names = [*head.metadata, *(tensor.name for tensor in head.tensors)]
        assert len(set(names)) == 4
        assert all(name.isprintable() and name.encode() for name in names)

    def test_a_key_twice(self, refusal: Callable[[GgufFile], str]) -> None:
        assert "key a.b is there twice" in refusal(GgufFile([("a.b", 1), ("c", 2), ("a.b", 1)]))

    @pytest.mark.parametrize("kind", [13, 255, (1 << 32) - 1])
    def test_an_unknown_value_type(self, refusal: Callable[[GgufFile | bytes], str], kind: int) -> None:
        number, wrong = struct.pack("<I", gguf.UINT32), struct.pack("<I", kind)
        array = struct.pack("<I", gguf.ARRAY)
        whole = GgufFile({"k": 5, "rest": "x" * 64}).bytes()
        assert f"k has value type {kind}" in refusal(whole.replace(b"k" + number, b"k" + wrong))
        whole = GgufFile({"k": [5], "rest": "x" * 64}).bytes()
        damaged = whole.replace(b"k" + array + number, b"k" + array + wrong)
        assert f"k is an array of value type {kind}" in refusal(damaged)

    def test_an_array_of_arrays(self, refusal: Callable[[GgufFile], str]) -> None:
        assert "array of value type 9" in refusal(GgufFile({"k": Typed(gguf.ARRAY, [], gguf.ARRAY), "rest": "x" * 64}))

    def test_an_endless_key(self, refusal: Callable[[GgufFile], str]) -> None:
        assert "a key has 70000 bytes" in refusal(GgufFile({"k" * 70000: 1}))


class TestTensors:
    def test_the_inventory(self, read: Callable[[GgufFile], GgufHead]) -> None:
        tensors = [
            TensorInfo("a", (256, 3, 5), gguf.Q4_K),
            TensorInfo("b", (3,), gguf.F16),
            TensorInfo("c", (32, 2, 2, 7), gguf.Q4_0),
        ]
        head = read(GgufFile({}, tensors))
        found = [(t.name, t.shape, t.type.name, t.n_elements, t.offset, t.n_bytes) for t in head.tensors]
        assert found == [
            ("a", (256, 3, 5), "Q4_K", 3840, 0, 2160),
            ("b", (3,), "F16", 3, 2176, 6),
            ("c", (32, 2, 2, 7), "Q4_0", 896, 2208, 504),
        ]

    @pytest.mark.parametrize("number", TENSOR_TYPES)
    def test_every_type(self, read: Callable[[GgufFile], GgufHead], number: int) -> None:
        kind = TENSOR_TYPES[number]
        (tensor,) = read(GgufFile({}, [TensorInfo("t", (kind.block_size * 3, 2), number)])).tensors
        assert (tensor.type, tensor.n_bytes) == (kind, 6 * kind.block_bytes)

    @pytest.mark.parametrize("number", [4, 5, 31, 38, 43, 999, (1 << 32) - 1])
    def test_an_unknown_type(self, refusal: Callable[[GgufFile], str], number: int) -> None:
        assert f"tensor t has type {number}" in refusal(GgufFile({}, [TensorInfo("t", kind=number)]))

    def test_a_tensor_twice(self, refusal: Callable[[GgufFile], str]) -> None:
        assert "tensor t is there twice" in refusal(GgufFile({}, [TensorInfo("t"), TensorInfo("u"), TensorInfo("t")]))

    @pytest.mark.parametrize("shape", [(), (1,) * 5, (1,) * 200])
    def test_a_wrong_number_of_dimensions(self, refusal: Callable[[GgufFile], str], shape: tuple[int, ...]) -> None:
        # The second tensor is there so that the file is long enough for the head that it claims.
        file = GgufFile({}, [TensorInfo("t", shape), TensorInfo("u")])
        assert f"tensor t has {len(shape)} dimensions" in refusal(file)

    @pytest.mark.parametrize(
        ("shape", "kind"),
        [
            ((33,), gguf.Q8_0),
            ((128, 2), gguf.Q4_K),  # 256 elements, but no row is a whole block
            ((1 << 63,), gguf.F32),
            ((1 << 32, 1 << 31), gguf.F32),
            (((1 << 64) - 256,) * 4, gguf.Q4_K),
        ],
    )
    def test_an_impossible_shape(self, refusal: Callable[[bytes], str], shape: tuple[int, ...], kind: int) -> None:
        # Given as raw bytes: a file with room for such a tensor cannot be written.
        file = GgufFile({}, [TensorInfo("t", shape, kind)])
        assert "tensor t cannot have the shape" in refusal(file.head)

    def test_an_impossible_offset(self, refusal: Callable[[GgufFile | bytes], str]) -> None:
        refusal(GgufFile({}, [TensorInfo("t", offset=1 << 63)]).head)

    @pytest.mark.parametrize(
        ("second", "what"),
        [(0, "the same place"), (80, "overlapping"), (100, "unaligned"), (160, "a gap"), (96, "no padding")],
    )
    def test_a_tensor_that_does_not_begin_where_the_one_before_it_ends(
        self, refusal: Callable[[GgufFile], str], second: int, what: str
    ) -> None:
        # 25 weights take 100 bytes, so the next tensor begins at 128.
        file = GgufFile({}, [TensorInfo("a", (25,)), TensorInfo("b", offset=second)])
        assert f"tensor b begins at byte {second} of the data and should at 128" in refusal(file), what

    def test_a_first_tensor_that_does_not_begin_with_the_data(self, refusal: Callable[[GgufFile], str]) -> None:
        assert "tensor a begins at byte 32 of the data" in refusal(GgufFile({}, [TensorInfo("a", offset=32)]))

    def test_the_files_own_alignment_says_where_a_tensor_begins(
        self, read: Callable[[GgufFile], GgufHead], refusal: Callable[[GgufFile], str]
    ) -> None:
        tensors = [TensorInfo("a", (25,)), TensorInfo("b")]
        head = read(GgufFile({"general.alignment": 256}, tensors, alignment=256))
        assert [tensor.offset for tensor in head.tensors] == [0, 256]
        refusal(GgufFile({"general.alignment": 256}, tensors, alignment=32))

    def test_a_name_as_long_as_llama_cpp_takes(
        self, read: Callable[[GgufFile], GgufHead], refusal: Callable[[GgufFile], str]
    ) -> None:
        assert read(GgufFile({}, [TensorInfo("t" * 63)])).tensors[0].name == "t" * 63
        assert "name has 64 bytes" in refusal(GgufFile({}, [TensorInfo("t" * 64)]))

    def test_the_file_must_reach_the_end_of_the_last_tensor(self, read: Callable[[GgufFile | bytes], GgufHead]) -> None:
        file = GgufFile({}, [TensorInfo("a", (4,)), TensorInfo("b", (100,))])
        head = read(file)
        assert head.wanted_bytes == head.file_bytes == file.data_start + 432
        cut = read(file.bytes()[:-1])
        assert cut.wanted_bytes == cut.file_bytes + 1

    def test_without_tensors_the_file_may_end_with_its_head(self, read: Callable[[GgufFile], GgufHead]) -> None:
        head = read(GgufFile({"k": "v"}))
        assert head.file_bytes % 32
        assert head.wanted_bytes <= head.file_bytes


class TestAlignment:
    @pytest.mark.parametrize("alignment", [1, 8, 32, 256, 65536])
    def test_data_start_where_the_metadata_say(self, read: Callable[[GgufFile], GgufHead], alignment: int) -> None:
        file = GgufFile({"general.alignment": alignment}, [TensorInfo("t")], alignment=alignment)
        head = read(file)
        assert head.data_start == file.data_start
        assert head.data_start % alignment == 0
        assert 0 <= head.data_start - len(file.head) < alignment

    def test_32_unless_they_say(self, read: Callable[[GgufFile], GgufHead]) -> None:
        for length in range(1, 34):
            file = GgufFile({"k": "x" * length}, [TensorInfo("t")])
            assert read(file).data_start == -(-len(file.head) // 32) * 32

    @pytest.mark.parametrize("alignment", [0, 3, 48, Typed(gguf.INT32, -32), 32.0, "32", True, [32], "x" * (2 * MB)])
    def test_a_wrong_one(self, refusal: Callable[[GgufFile], str], alignment: Plain | Typed) -> None:
        message = refusal(GgufFile({"general.alignment": alignment}, [TensorInfo("t")]))
        assert "general.alignment" in message
        assert len(message) < 1000


class TestNotAFile:
    @pytest.mark.parametrize("data", [b"", b"GGUF", b"<!DOCTYPE html>" * 10, b"FUGG" + SMALL.bytes()[4:], bytes(100)])
    def test_something_else(self, refusal: Callable[[bytes], str], data: bytes) -> None:
        assert "is not a GGUF file" in refusal(data)

    @pytest.mark.parametrize("version", [0, 1, 4, 1 << 31])
    def test_another_version(self, refusal: Callable[[GgufFile], str], version: int) -> None:
        assert f"GGUF version {version}; versions 2 and 3" in refusal(GgufFile({"k": "v"}, version=version))

    @pytest.mark.parametrize("version", [2, 3])
    def test_big_endian(self, refusal: Callable[[bytes], str], version: int) -> None:
        head = b"GGUF" + struct.pack(">IQQ", version, 0, 0)
        assert "big-endian" in refusal(head + bytes(64))

    def test_an_absent_file_and_a_folder(self, tmp_path: Path) -> None:
        for path in (tmp_path / "absent.gguf", tmp_path):
            with pytest.raises(InvalidModelFileError, match="cannot be read") as caught:
                read_head(path)
            assert str(path) in caught.value.message


class TestCutAndHostile:
    def test_cut_at_every_byte(self, tmp_path: Path, refusal: Callable[[bytes], str]) -> None:
        head = SMALL.head
        for end in range(len(head)):
            refusal(head[:end])

    def test_cut_behind_the_head_only_bytes_of_tensors_are_wanted(self, read: Callable[[bytes], GgufHead]) -> None:
        whole = SMALL.bytes()
        for end in range(len(SMALL.head), len(whole)):
            head = read(whole[:end])
            assert (head.file_bytes, head.wanted_bytes) == (end, len(whole))

    @pytest.mark.parametrize("count", [*HUGE, 1 << 32, 100])
    def test_counts_that_no_file_has_room_for(self, refusal: Callable[[GgufFile], str], count: int) -> None:
        with few_megabytes():
            assert f"{count} tensors" in refusal(GgufFile(SMALL.metadata, SMALL.tensors, n_tensors=count))
            assert f"{count} values" in refusal(GgufFile(SMALL.metadata, SMALL.tensors, n_values=count))

    @pytest.mark.parametrize("length", HUGE)
    @pytest.mark.parametrize("kind", [gguf.STRING, gguf.UINT8, gguf.BOOL, gguf.FLOAT64])
    def test_an_array_without_end(self, refusal: Callable[[bytes], str], length: int, kind: int) -> None:
        whole = GgufFile({"k": Typed(gguf.ARRAY, [], kind), "rest": "x" * 8000}).bytes()
        claims = struct.pack("<II", gguf.ARRAY, kind)
        assert claims + bytes(8) in whole
        with few_megabytes():
            refusal(whole.replace(claims + bytes(8), claims + struct.pack("<Q", length)))

    @pytest.mark.parametrize("length", [*HUGE, 100_000])
    @pytest.mark.parametrize("where", ["key", "value", "kept", "skipped", "skipped last", "tensor"])
    def test_a_text_without_end(self, refusal: Callable[[bytes], str], length: int, where: str) -> None:
        mark = "mark"
        words = ["w"] * 5000
        file = {
            "key": GgufFile({mark: "v"}),
            "value": GgufFile({"k": mark, "rest": 1}),
            "kept": GgufFile({"k": ["a", mark, "b"], "rest": 1}),
            "skipped": GgufFile({"k": [*words, mark, *words], "rest": 1}),
            "skipped last": GgufFile({"k": [*words, mark]}),
            "tensor": GgufFile({}, [TensorInfo(mark), TensorInfo("u")]),
        }[where]
        assert file.bytes().count(gguf.string(mark)) == 1
        with few_megabytes():
            refusal(file.bytes().replace(gguf.string(mark), struct.pack("<Q", length) + mark.encode()))


@pytest.mark.skipif(sys.platform == "win32", reason="Files have no holes there unless they are made in another way.")
class TestHoles:
    def test_a_file_of_60_gb_is_read_in_little_memory(self, tmp_path: Path) -> None:
        layers = [TensorInfo(f"blk.{n}.ffn_up_exps.weight", (4096, 2048, 256), gguf.Q4_0) for n in range(50)]
        words = ["<fim_prefix>", *(f"word{n}" for n in range(50_000))]
        file = GgufFile({"tokenizer.ggml.tokens": words}, layers)
        path = file.write(tmp_path / "big.gguf")
        assert path.stat().st_size > 60_000_000_000
        with few_megabytes():
            head = read_head(path)
        assert head.file_bytes == head.wanted_bytes == path.stat().st_size
        assert head.metadata["tokenizer.ggml.tokens"] == LongValue(50_001, ("<fim_prefix>",))
        assert [t.n_bytes for t in head.tensors] == [t.n_bytes for t in layers]

    @pytest.mark.parametrize(
        "head",
        [
            GgufFile({"k": Typed(gguf.ARRAY, [], gguf.STRING)}).bytes()[:-8] + struct.pack("<Q", 20_000_000),
            GgufFile({"k": Typed(gguf.ARRAY, [], gguf.UINT8)}).bytes()[:-8] + struct.pack("<Q", 50_000_000_000),
            GgufFile({"k": ""}).bytes()[:-8] + struct.pack("<Q", 50_000_000_000),
            GgufFile({"k": 1}, n_values=1_000_000_000).bytes(),
            GgufFile({"k": 1}, n_tensors=1_000_000_000).bytes(),
        ],
        ids=["texts", "bytes", "text", "values", "tensors"],
    )
    def test_a_head_that_is_a_hole_is_not_walked_through(self, tmp_path: Path, head: bytes) -> None:
        path = tmp_path / "hole.gguf"
        with path.open("wb") as file:
            file.write(head)
            file.truncate(60_000_000_000)
        with few_megabytes(), pytest.raises(InvalidModelFileError, match=r"hole\.gguf is damaged") as caught:
            read_head(path)
        assert caught.value.hint


class TestBeginnings:
    """A file of which only the first bytes are here."""

    def test_a_head_is_whole_or_says_what_it_needs(self, read: Callable[[bytes], GgufHead], tmp_path: Path) -> None:
        head, whole = SMALL.head, SMALL.bytes()
        expected = read(whole)
        for end in range(len(head)):
            with pytest.raises(HeadGoesOnError) as caught:
                parse_head(whole[:end], expected.path, len(whole))
            assert end < caught.value.needed <= len(head)
        for start in (whole[: len(head)], bytearray(whole[: len(head)]), whole):
            assert parse_head(start, expected.path, len(whole)) == expected

    def test_the_size_is_the_whole_files(self, tmp_path: Path) -> None:
        layers = [TensorInfo(f"blk.{n}.ffn_up_exps.weight", (4096, 2048, 256), gguf.Q4_0) for n in range(50)]
        file = GgufFile({"tokenizer.ggml.tokens": ["<PRE>", *(f"word{n}" for n in range(5000))]}, layers)
        with few_megabytes():
            head = parse_head(bytearray(file.head), tmp_path / "big.gguf", file.length)
        assert head.is_whole
        assert head.metadata["tokenizer.ggml.tokens"] == LongValue(5001, ("<PRE>",))
        assert not parse_head(file.head, tmp_path / "big.gguf", file.length - 1).is_whole

    def test_whoever_fetches_what_is_needed_arrives(self, tmp_path: Path) -> None:
        file = GgufFile({"k": ["some word"] * 5000, "after": 5})
        end, head = 0, None
        while head is None:
            try:
                head = parse_head(file.head[:end], tmp_path / "m.gguf", file.length)
            except HeadGoesOnError as error:
                end = max(error.needed, end + 1000)
        assert head.metadata == {"k": LongValue(5000), "after": 5}

    @pytest.mark.parametrize("size", [0, 23])
    def test_too_short_for_any_head(self, tmp_path: Path, size: int) -> None:
        with pytest.raises(InvalidModelFileError, match=r"m\.gguf is not a GGUF file"):
            parse_head(SMALL.head[:size], tmp_path / "m.gguf", size)

    @pytest.mark.parametrize("length", HUGE)
    def test_what_the_file_cannot_have_is_not_asked_for(self, tmp_path: Path, length: int) -> None:
        start = GgufFile({"k": ""}).bytes()[:-8] + struct.pack("<Q", length)
        for size in (1000, 60_000_000_000):
            with pytest.raises(InvalidModelFileError, match=r"ends within its head|longer than 128 MiB"):
                parse_head(start, tmp_path / "m.gguf", size)


class TestFuzz:
    """Whatever the bytes are: a head, or the one error; and nothing else from the first of them, or more are wanted."""

    def survives(self, path: Path, data: bytes, end: int) -> None:
        path.write_bytes(data)
        verdict = self.verdict(lambda: read_head(path))
        if isinstance(verdict, GgufHead):
            assert verdict.wanted_bytes >= 0
            assert verdict.data_start >= 24
            assert all(tensor.n_bytes >= 0 for tensor in verdict.tensors)
        beginning = self.verdict(lambda: parse_head(data[:end], path, len(data)))
        assert beginning == verdict or (isinstance(beginning, int) and end < beginning <= len(data))

    def verdict(self, read: Callable[[], GgufHead]) -> GgufHead | str | int:
        """A head, a refusal, or the bytes that are needed."""
        try:
            return read()
        except InvalidModelFileError as error:
            return error.message
        except HeadGoesOnError as error:
            return error.needed

    @settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        st.lists(
            st.tuples(
                st.sampled_from(["flip", "insert", "delete", "overwrite"]),
                st.integers(4, len(SMALL.bytes()) - 1),
                st.one_of(st.binary(min_size=1, max_size=9), st.sampled_from([struct.pack("<Q", n) for n in HUGE])),
            ),
            min_size=1,
            max_size=6,
        ),
        st.integers(0, len(SMALL.bytes())),
    )
    def test_a_sound_file_changed_at_random(
        self, tmp_path: Path, changes: list[tuple[str, int, bytes]], end: int
    ) -> None:
        data = bytearray(SMALL.bytes())
        for how, at, what in changes:
            if how == "flip" and at < len(data):
                data[at] ^= what[0] or 1
            elif how == "insert":
                data[at:at] = what
            elif how == "delete":
                del data[at : at + len(what)]
            elif how == "overwrite":
                data[at : at + len(what)] = what
        self.survives(tmp_path / "m.gguf", bytes(data), end)

    @settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(
        st.sampled_from([b"GGUF", SMALL.head[:8], SMALL.head[:24], SMALL.head[:16] + b"\1" + bytes(7)]),
        st.binary(),
        st.integers(0, 99),
    )
    def test_anything_behind_the_magic(self, tmp_path: Path, start: bytes, rest: bytes, end: int) -> None:
        self.survives(tmp_path / "m.gguf", start + rest, end)


@pytest.mark.parametrize(
    ("text", "shown"),
    [("blk.0.ffn", "blk.0.ffn"), ("名前", "名前"), ("a\x1b[2J", "a\\x1b[2J"), ("a\nb", "a\\nb"), ("", "")],
)
def test_what_a_file_says_cannot_drive_a_terminal(text: str, shown: str) -> None:
    assert printable(text) == shown
