"""Where functions begin and end. For C++ a scan of braces, good enough for formatted code."""

import ast
import re

import tree as tree_module

_CONTAINER = re.compile(r"\b(namespace|class|struct|union|enum)\b[^()=]*$|^\s*extern\s*$")
_FUNCTION = re.compile(
    r"\)\s*(const|noexcept|override|final|&|\s|->[\w\s:<>,*&]+|:.*)*$", re.DOTALL
)


def in_cpp(text):
    """[(first line, last line)] of each outermost function."""
    code = tree_module.code_only(text)
    found = []
    kinds = []  # what each open brace belongs to
    header_at = 0  # where the text before the next brace begins
    first_line = 0
    for match in re.finditer(r"[{};]", code):
        inside = "function" in kinds
        header = code[header_at : match.start()]
        if match.group() == "{":
            if inside or not header.strip():
                kind = "block"
            elif _CONTAINER.search(header):
                kind = "container"
            elif _FUNCTION.search(header):
                kind = "function"
                start = header_at + len(header) - len(header.lstrip())
                first_line = code.count("\n", 0, start) + 1
            else:
                kind = "block"
            kinds.append(kind)
        elif match.group() == "}" and kinds:
            if kinds.pop() == "function":
                found.append((first_line, code.count("\n", 0, match.start()) + 1))
        header_at = match.end()
    return found


def in_python(text):
    return [
        (node.lineno, node.end_lineno)
        for node in ast.walk(ast.parse(text))
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    ]
