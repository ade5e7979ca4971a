from __future__ import annotations

import pytest

from lsp_server.syntax.snapshot import Snapshot
from lsp_server.syntax.test_cases import test_cases as cases_of

TEXTS = {
    "python": (
        (
            "@mark\ndef test_a():\n    pass\n\n\ndef helper():\n    pass\n\n\n"
            "class TestB:\n    def test_b(self):\n        pass\n"
        ),
        {"test_a": "@mark\ndef test_a():\n    pass", "test_b": "def test_b(self):\n        pass"},
    ),
    "javascript": (
        (
            "describe('x', () => {\n  test('a b', () => { expect(1).toBe(1); });\n  it.each([1])(`c %d`, (n) => {});\n"
            "  it.skip(\"d\", () => {});\n});\nhelper('e', () => {});\n"
        ),
        {
            "a b": "test('a b', () => { expect(1).toBe(1); });",
            "c %d": "it.each([1])(`c %d`, (n) => {});",
            "d": 'it.skip("d", () => {});',
        },
    ),
    "typescript": ("test('a', (): void => {});\n", {"a": "test('a', (): void => {});"}),
    "go": (
        "package a\n\nfunc TestA(t *testing.T) {}\n\nfunc helper() {}\n",
        {"TestA": "func TestA(t *testing.T) {}"},
    ),
    "rust": (
        (
            "fn a() {}\n#[cfg(test)]\nmod tests {\n    fn helper() {}\n\n    #[test]\n    #[should_panic]\n"
            "    fn b() {}\n"
            "    #[tokio::test]\n    async fn c() {}\n}\n"
        ),
        {
            "b": "#[test]\n    #[should_panic]\n    fn b() {}",
            "c": "#[tokio::test]\n    async fn c() {}",
        },
    ),
    "java": (
        "class A { @Test void a() {} @ParameterizedTest @ValueSource(ints = {1}) void b(int x) {} void c() {} }\n",
        {"a": "@Test void a() {}", "b": "@ParameterizedTest @ValueSource(ints = {1}) void b(int x) {}"},
    ),
    "csharp": (
        "public class A { [Fact] public void B() {} [Theory] [InlineData(1)] public void C(int x) {} void D() {} }\n",
        {"B": "[Fact] public void B() {}", "C": "[Theory] [InlineData(1)] public void C(int x) {}"},
    ),
    "ruby": (
        "RSpec.describe 'a' do\n  it 'b' do\n    expect(1).to eq(1)\n  end\n\n  it('c') { expect(1).to eq 2 }\nend\n",
        {"b": "it 'b' do\n    expect(1).to eq(1)\n  end", "c": "it('c') { expect(1).to eq 2 }"},
    ),
    "php": (
        "<?php\nfinal class T extends TestCase\n{\n    public function testA(): void {}\n    function b() {}\n}\n",
        {"testA": "public function testA(): void {}"},
    ),
    "cpp": (
        "TEST(Add, Zero) {\n  EXPECT_EQ(1, 1);\n}\nvoid helper() {}\nTEST_F(Fixture, One) {}\n",
        {"Zero": "TEST(Add, Zero) {\n  EXPECT_EQ(1, 1);\n}", "One": "TEST_F(Fixture, One) {}"},
    ),
    "shellscript": (
        (
            "#!/usr/bin/env bats\n\nhelper() {\n    true\n}\n\n@test \"adds 'two' and é\" {\n    run add 1 2\n"
            "    [ \"$output\" -eq 3 ]\n}\n@test 'b' {\n    true\n}\n"
        ),
        {
            "adds 'two' and é": '@test "adds \'two\' and é" {\n    run add 1 2\n    [ "$output" -eq 3 ]\n}',
            "b": "@test 'b' {\n    true\n}",
        },
    ),
    "sql": ("select 1;\n", {}),
}


@pytest.mark.parametrize("language", TEXTS)
def test_what_is_a_test(language: str) -> None:
    text, expected = TEXTS[language]
    found = cases_of(Snapshot.open(text, language))
    assert {case.name: text[case.start : case.end] for case in found} == expected
    assert all(text[case.name_start : case.name_end] == case.name for case in found)
    assert [case.start for case in found] == sorted(case.start for case in found)
