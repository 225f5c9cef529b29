"""C++ read as far as the rules need it: which part of a line is code, where a function begins and ends."""
import re

CONTROL = re.compile(r"^\s*(\}\s*)?(if|for|while|switch|catch|else|do|namespace|struct|class|enum|union|extern)\b")
SIGNATURE_END = re.compile(r"\)\s*(const|noexcept|override|final|mutable|NISSA_\w+\([^)]*\)|->[^;{]*|:[^;]*|\s)*$")


def code_lines(path):
    """(number, line as it is, line without comments and the contents of strings); None for a raw string's inside."""
    raw_end = None
    for number, line in enumerate(path.read_text().splitlines(), 1):
        if raw_end is not None:
            at = line.find(raw_end)
            if at < 0:
                yield number, None, ""
                continue
            rest, raw_end = line[at + len(raw_end):], None
            yield number, None, without_comment(rest)
            continue
        code = line if "#include" in line else re.sub(r'(?<!R)"(\\.|[^"\\])*"', '""', line)
        raw = re.search(r'R"(\w*)\(', code)
        if raw and f'){raw.group(1)}"' in code[raw.end():]:
            code = re.sub(r'R"(\w*)\(.*\)\1"', '""', code)
        elif raw and "//" not in code[:raw.start()]:
            raw_end = f'){raw.group(1)}"'
            code = code[:raw.start()] + '""'
        yield number, line, without_comment(code)


def without_comment(line):
    return re.sub(r"'(\\.|[^'\\])'", "' '", line).split("//")[0]


def functions(path):
    """(first line, lines) of each body in braces that a parameter list introduces."""
    open_braces, head = [], ""
    for number, _, code in code_lines(path):
        if code.lstrip().startswith("#"):
            continue
        for character in code + "\n":
            if character == "{":
                is_function = bool(SIGNATURE_END.search(head)) and not CONTROL.match(head)
                open_braces.append((number, is_function))
                head = ""
            elif character == "}":
                if open_braces:
                    first, is_function = open_braces.pop()
                    if is_function:
                        yield first, number - first
                head = ""
            elif character == ";":
                head = ""
            else:
                head += character
