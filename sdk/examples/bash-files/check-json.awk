# Reads one line. If it is JSON as chapter 02 of the spec wants it, prints it and ends with 0; otherwise ends with 1.
#
# jq is no judge of that: it takes NaN, 01, +1, a byte order mark and several values in a row, and it repairs what is
# no UTF-8. So a copy of the line is made ever smaller here, by regular expressions, until one token is left or nothing
# fits any more. Run it with LC_ALL=C, so that a character is a byte, and with -v max_depth=….

BEGIN {
    # Two control characters stand for "a string" and "a value of another kind": raw ones are legal nowhere in JSON
    # but for the blanks, and a line that has any is refused first.
    S = "\001"; V = "\002"
    hex = "[0-9a-fA-F]"
    # MSG-23: an escaped first half of a surrogate pair only with its second half, and a second half never alone.
    pair = "u[dD][89abAB]" hex hex "\\\\u[dD][c-fC-F]" hex hex
    unit = "u([0-9a-cefA-CEF]" hex hex hex "|[dD][0-7]" hex hex ")"
    string = "\"([^\"\\\\\t\r]|\\\\([\"\\\\/bfnrt]|" unit "|" pair "))*\""
    number = "-?(0|[1-9][0-9]*)(\\.[0-9]+)?([eE][+-]?[0-9]+)?"
    item = "[" S V "]"
    container = "\\[(" item "(," item ")*)?\\]|\\{(" S ":" item "(," S ":" item ")*)?\\}"
    # RFC 3629, without overlong forms and surrogates [MSG-21].
    tail = "[\200-\277]"
    utf8 = "[\302-\337]" tail "|\340[\240-\277]" tail "|[\341-\354\356\357]" tail tail "|\355[\200-\237]" tail \
        "|\360[\220-\277]" tail tail "|[\361-\363]" tail tail tail "|\364[\200-\217]" tail tail
}

{
    if (/[\001-\010\013\014\016-\037]/) exit 1
    bytes = $0
    gsub(utf8, "", bytes)
    if (bytes ~ /[\200-\377]/) exit 1

    shape = $0
    gsub(string, S, shape)
    if (shape ~ /"/) exit 1
    gsub(number, V, shape)
    gsub(/true|false|null/, V, shape)
    gsub(/[ \t\r]/, "", shape)
    # Each round replaces the innermost arrays and objects, so the rounds are the depth [MSG-24].
    for (depth = 0; gsub(container, V, shape); depth++) if (depth == max_depth) exit 1
    if (shape != S && shape != V) exit 1

    # The copy for jq differs in two ways that matter to nothing here, which reads texts and integers of the first
    # levels. jq takes 1.0 for 1, and only one of them is an id [MSG-11]; so a number with a point or an exponent
    # becomes an empty array, which is no id either. And jq 1.6 gives up at 256 levels, where maxDepth may be 512; so
    # what lies deeper than the eighth level is left out.
    gsub(string, "\n&\n")          # now every even piece is a string
    count = split($0, piece, "\n")
    for (i = 1; i <= count; i++) {
        if (i % 2) print_structure(piece[i])
        else if (level <= 8) printf "%s", piece[i]
    }
    print ""
}

function print_structure(text,    i, c) {
    gsub(/-?[0-9]+([.][0-9]+([eE][+-]?[0-9]+)?|[eE][+-]?[0-9]+)/, "[]", text)
    for (i = 1; i <= length(text); i++) {
        c = substr(text, i, 1)
        if (c == "[" || c == "{") level++
        if (level <= 8 || (level == 9 && index("[]{}", c))) printf "%s", c
        if (c == "]" || c == "}") level--
    }
}
