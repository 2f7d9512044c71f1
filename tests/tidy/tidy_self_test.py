"""Every rule finds its bad snippets, at their lines, and leaves good code alone."""

import unittest

import functions
import rules
import tree

GUARD = "#ifndef SERVICES_X_A_H_\n#define SERVICES_X_A_H_\n#endif  // SERVICES_X_A_H_\n"
LONG_BODY = "  Call();\n" * 69
PATH = "/" + "work/"

# rule -> [(tree, [(path, line)])]: what it must find.
BAD = {
    rules.function_length: [
        ({"a.cc": "\nint F() {\n" + LONG_BODY + "}\n"}, [("a.cc", 2)]),
        ({"a.h": "class A {\n  int F() const {\n" + LONG_BODY + "  }\n};\n"}, [("a.h", 2)]),
        ({"a.py": "def f():\n" + "    g()\n" * 70}, [("a.py", 1)]),
    ],
    rules.line_length: [({"a.cc": "\n" + "x" * 101 + "\n"}, [("a.cc", 2)])],
    rules.file_length: [({"a.proto": "\n" * 401}, [("a.proto", 400)])],
    rules.banned_words: [
        ({"services/x/a.cc": "\nauto t = absl::Now();\n"}, [("services/x/a.cc", 2)]),
        ({"services/x/a.cc": "std::this_thread::sleep_for(x);\n"}, [("services/x/a.cc", 1)]),
        ({"tests/a.cc": "sleep(1);\n"}, [("tests/a.cc", 1)]),
        (
            {"services/x/a.cc": 'std::cout << 1;\nstd::printf("1");\n'},
            [("services/x/a.cc", 1), ("services/x/a.cc", 2)],
        ),
        ({"a.cc": "using namespace std;\n"}, [("a.cc", 1)]),
        ({"a.cc": "absl::Mutex m;\n"}, [("a.cc", 1)]),
        ({"a.h": "void F(std::string_view);\n"}, [("a.h", 1)]),
    ],
    rules.service_includes: [
        ({"services/x/a.cc": '\n#include "services/y/b.h"\n'}, [("services/x/a.cc", 2)]),
        (
            {"services/common/a/a.cc": '#include "services/y/b.h"\n'},
            [("services/common/a/a.cc", 1)],
        ),
    ],
    rules.header_guards: [
        ({"services/y/a.h": GUARD}, [("services/y/a.h", 1), ("services/y/a.h", 1)]),
        ({"a.h": "#pragma once\n"}, [("a.h", 1), ("a.h", 1)]),
    ],
    rules.unreferenced_files: [
        ({"x/a.cc": "", "x/BUILD": 'srcs = ["b.cc"]\n'}, [("x/a.cc", 1)]),
        ({"x/y/a.h": "", "x/BUILD": 'srcs = ["a.h"]\n'}, [("x/y/a.h", 1)]),
        ({"x/a.proto": ""}, [("x/a.proto", 1)]),
    ],
    rules.service_readmes: [({"services/x/a.cc": ""}, [("services/x/README.md", 1)])],
    rules.white_space: [
        ({"a.md": "a\n\tb\n"}, [("a.md", 2)]),
        ({"a.yml": "a \n"}, [("a.yml", 1)]),
        ({"BUILD": "a\r\n"}, [("BUILD", 1)]),
        ({"BUILD": "a"}, [("BUILD", 1)]),
    ],
    rules.outside_names: [
        ({"a.md": "\nsee " + PATH + "x\n"}, [("a.md", 2)]),
        ({"a.md": "see ../" + "shared/x\n"}, [("a.md", 1)]),
        ({"a.yml": "image: quay" + ".io/x\n"}, [("a.yml", 1)]),
    ],
    rules.formatting: [
        (
            {"a/a.cc": "int a;\nint  b ;\nint  c ;\n", "b.h": "int  d;\n"},
            [("a/a.cc", 2), ("b.h", 1)],
        ),
        ({"a.cc": "int a;\n", ".clang-format": "nonsense"}, [(".clang-format", 1)]),
    ],
}

# No rule finds anything in this.
GOOD = {
    ".clang-format": "BasedOnStyle: Google\nColumnLimit: 100\n",
    "services/x/README.md": "apt-get install docker.io; a/network/ and some" + PATH + "x\n",
    "services/x/BUILD": 'cc_library(srcs = ["a.cc", "b/c.cc"], hdrs = ["a.h"])\n',
    "services/x/a.h": GUARD,
    "services/x/a.cc": '#include "services/x/a.h"\n\n#include "services/common/y/y.h"\n\n'
    "// absl::Now, sleep(1) and using namespace in words.\n"
    'const char* kText = "std::cout";\n'
    "int F() {\n" + "  Call();\n" * 68 + "}\n",
    "services/x/b/c.cc": "void Sleeper() { DoNotsleep(1); }\n",
    "services/common/clock/BUILD": 'cc_library(srcs = ["clock.cc"])\n',
    "services/common/clock/clock.cc": "void Sleep() { sleep(1); }\n",
    "tests/a/BUILD": 'cc_test(srcs = ["a_test.cc"])\n[t(n) for n in ["b_test"]]\n',
    "tests/a/b_test.cc": "int b;\n",
    "tests/a/a_test.cc": "// " + "x" * 97 + '\nTEST(A, B) { std::printf("x"); }\n',
}


class RulesTest(unittest.TestCase):
    def test_every_rule_finds_its_bad_snippets(self):
        for rule in rules.RULES:
            self.assertIn(rule, BAD, f"{rule.__name__} has no bad snippet")
        for rule, cases in BAD.items():
            for sources, expected in cases:
                found = [(path, line) for path, line, _ in rule(sources)]
                self.assertEqual(found, expected, f"{rule.__name__} in {sources}")

    def test_no_rule_finds_fault_with_good_code(self):
        for rule in rules.RULES:
            self.assertEqual(list(rule(GOOD)), [], rule.__name__)


class ReadingTest(unittest.TestCase):
    def test_functions_are_told_from_other_braces(self):
        code = (
            "namespace a {\nstruct S {\n  int x = 1;\n};\nconst int k[] = {1,\n2};\n"
            "S::S(int a)\n    : x(a) {\n  if (a) {\n  }\n}\n"
            "auto F() -> std::vector<int> {\n  auto f = [](int x) { return x; };\n}\n"
            "}  // namespace a\n"
        )
        self.assertEqual(functions.in_cpp(code), [(7, 11), (12, 14)])

    def test_comments_and_literals_are_no_code(self):
        code = 'a("{ // }", \'{\'); // {\n/* {\n */ b(R"x({")x", 1\'000);\n#define M {\nc;\n'
        blank = tree.code_only(code)
        self.assertNotIn("{", blank)
        self.assertEqual(blank.count("\n"), code.count("\n"))
        self.assertEqual([word for word in "abc" if word in blank], ["a", "b", "c"])

    def test_data_is_not_text_of_ours(self):
        self.assertTrue(tree.is_data("tests/data/x.json"))
        self.assertTrue(tree.is_data("services/x/testdata/a.yml"))
        self.assertFalse(tree.is_data("tests/database/x.cc"))


if __name__ == "__main__":
    unittest.main()
