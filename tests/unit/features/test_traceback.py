from __future__ import annotations

import pytest

from lsp_server.features.traceback import Failure, Frame, parse

PYTHON = """\
Traceback (most recent call last):
  File "/home/me/shop/main.py", line 12, in <module>
    print(last([]))
  File "/home/me/shop/stats.py", line 3, in last
    return items[len(items)]
           ~~~~~^^^^^^^^^^^^
IndexError: list index out of range
"""
CHAINED = f"""\
{PYTHON}
During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/home/me/shop/main.py", line 14, in <module>
    raise shop.NoItems("none") from error
shop.NoItemsError: none
"""
NODE = """\
/home/me/app/a.js:3
  return x.y.z;
TypeError: Cannot read properties of undefined (reading 'z')
    at get (/home/me/app/a.js:3:14)
    at Object.<anonymous> (/home/me/app/b.js:10:1)
    at async file:///home/me/app/c.mjs:2:3
    at node:internal/main:1:2
"""
JAVA = """\
Exception in thread "main" java.lang.NullPointerException: Cannot invoke "String.length()"
\tat shop.Cart.total(Cart.java:12)
\tat java.base/java.util.ArrayList.forEach(ArrayList.java:1511)
\tat shop.Main.main(Main.java:5)
"""
GO = """\
panic: runtime error: index out of range [3] with length 3

goroutine 1 [running]:
main.last(...)
\t/home/me/go/main.go:8
main.main()
\t/home/me/go/main.go:13 +0x1d
exit status 2
"""
RUST = """\
thread 'main' panicked at src/main.rs:4:5:
index out of bounds: the len is 3 but the index is 3
stack backtrace:
   0: demo::last
             at ./src/main.rs:4:5
   1: demo::main
             at ./src/main.rs:9:5
"""
RUBY = "stats.rb:3:in `last': undefined method `foo' for nil (NoMethodError)\n\tfrom main.rb:5:in `<main>'\n"
PHP = """\
PHP Fatal error:  Uncaught TypeError: f(): Argument #1 must be int in /srv/a.php:4
Stack trace:
#0 /srv/b.php(9): f('x')
#1 {main}
"""
C_SHARP = """\
Unhandled exception. System.NullReferenceException: Object reference not set
   at Shop.Cart.Total(Int32 x) in C:\\work\\Cart.cs:line 14
   at Program.Main() in C:\\work\\Program.cs:line 3
"""
SANITIZER = """\
==1==ERROR: AddressSanitizer: heap-buffer-overflow on address 0x602
    #0 0x4c3f in total /home/me/a.c:7
    #1 0x4c3a in main /home/me/a.c:15:3
"""
CASES = [
    (
        PYTHON,
        "IndexError: list index out of range",
        [Frame("/home/me/shop/stats.py", 2, "last"), Frame("/home/me/shop/main.py", 11, "<module>")],
    ),
    (
        NODE,
        "TypeError: Cannot read properties of undefined (reading 'z')",
        [
            Frame("/home/me/app/a.js", 2, "get"),
            Frame("/home/me/app/b.js", 9, "Object.<anonymous>"),
            Frame("/home/me/app/c.mjs", 1),
        ],
    ),
    (
        JAVA,
        'java.lang.NullPointerException: Cannot invoke "String.length()"',
        [Frame("Cart.java", 11, "shop.Cart.total"), Frame("Main.java", 4, "shop.Main.main")],
    ),
    (
        GO,
        "panic: runtime error: index out of range [3] with length 3",
        [Frame("/home/me/go/main.go", 7, "main.last"), Frame("/home/me/go/main.go", 12, "main.main")],
    ),
    (
        RUST,
        "index out of bounds: the len is 3 but the index is 3",
        [Frame("src/main.rs", 3, "demo::last"), Frame("src/main.rs", 8, "demo::main")],
    ),
    (
        RUBY,
        "stats.rb:3:in `last': undefined method `foo' for nil (NoMethodError)",
        [Frame("stats.rb", 2, "last"), Frame("main.rb", 4, "<main>")],
    ),
    (
        PHP,
        "TypeError: f(): Argument #1 must be int in /srv/a.php:4",
        [Frame("/srv/a.php", 3), Frame("/srv/b.php", 8, "f")],
    ),
    (
        C_SHARP,
        "System.NullReferenceException: Object reference not set",
        [Frame("C:\\work\\Cart.cs", 13, "Shop.Cart.Total"), Frame("C:\\work\\Program.cs", 2, "Program.Main")],
    ),
    (
        SANITIZER,
        "==1==ERROR: AddressSanitizer: heap-buffer-overflow on address 0x602",
        [Frame("/home/me/a.c", 6, "total"), Frame("/home/me/a.c", 14, "main")],
    ),
]
IDS = ["python", "node", "java", "go", "rust", "ruby", "php", "c#", "c"]


@pytest.mark.parametrize(("text", "error", "frames"), CASES, ids=IDS)
def test_what_programs_say(text: str, error: str, frames: list[Frame]) -> None:
    assert parse(text) == Failure(error, tuple(frames))
    assert parse(f"$ run it\r\n{text}".replace("\n", "\r\n")) == Failure(error, tuple(frames))


def test_of_a_chain_the_last_one_counts() -> None:
    failure = parse(CHAINED)
    assert failure
    assert failure.error == "shop.NoItemsError: none"
    assert failure.frames[0] == Frame("/home/me/shop/main.py", 13, "<module>")


def test_a_syntax_error_has_no_function() -> None:
    text = '  File "/home/me/a.py", line 1\n    def f(:\n          ^\nSyntaxError: invalid syntax\n'
    assert parse(text) == Failure("SyntaxError: invalid syntax", (Frame("/home/me/a.py", 0),))


@pytest.mark.parametrize(
    "text", ["", "it does not work", "see main.py, line 3", "at home (with friends)\n", "\n" * 9999]
)
def test_other_texts(text: str) -> None:
    assert parse(text) is None


def test_a_place_without_an_error() -> None:
    failure = parse('  File "/home/me/a.py", line 3, in f\n')
    assert failure
    assert failure.error == 'File "/home/me/a.py", line 3, in f'


def test_a_huge_text_is_read_from_its_end() -> None:
    failure = parse("x" * 300_000 + "\n" + PYTHON)
    assert failure
    assert failure.error == "IndexError: list index out of range"
