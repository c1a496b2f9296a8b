"""Answers in a frame whose header block is wrong; the argument says which."""

import raw

HEADERS = {
    "plus": "Content-Length: +{}\r\n\r\n",
    "minus": "Content-Length: -{}\r\n\r\n",
    "fraction": "Content-Length: {}.0\r\n\r\n",
    "hexadecimal": "Content-Length: 0x{}\r\n\r\n",
    "underscore": "Content-Length: 1_{}\r\n\r\n",
    "blank": "Content-Length: 1 {}\r\n\r\n",
    "eleven-digits": "Content-Length: {:011d}\r\n\r\n",
    "other-digits": "Content-Length: \u0664\u0660\r\n\r\n",
    "twice": "Content-Length: {0}\r\nContent-Length: {0}\r\n\r\n",
    "too-long": "Content-Length: {}\r\nX: " + "x" * 4096 + "\r\n\r\n",
    "no-colon": "Content-Length: {}\r\nX\r\n\r\n",
}


def ask(request):
    content = raw.encode(id=request["id"], result="asked")
    raw.write(HEADERS[raw.argument].format(len(content)).encode() + content)


raw.begin()
raw.serve(ask=ask)
