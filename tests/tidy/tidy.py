"""Checks the whole tree against rules.py and prints every finding as file:line: text."""

import os
import sys

import rules
import tree as tree_module


def main():
    # In a test run this file is a link to the one in the tree.
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
    os.chdir(root)
    tree = tree_module.read(root)
    findings = [finding for rule in rules.RULES for finding in rule(tree)]
    for path, line, problem in findings:
        print(f"{path}:{line}: {problem}")
    print(f"{len(tree)} files, {len(rules.RULES)} rules, {len(findings)} findings")
    return 1 if findings or not tree else 0


if __name__ == "__main__":
    sys.exit(main())
