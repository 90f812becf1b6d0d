#!/usr/bin/env python3
"""Print the character references of HTML as C rows, sorted by name.

Source: the WHATWG HTML standard's table, as Python's html.entities ships it.
Names without the final semicolon are the old ones that browsers accept so.
"""
from html.entities import html5

print('/* Made by entities.py; do not edit. */')
for name in sorted(html5, key=lambda n: n.encode()):
    value = ''.join('\\x%02x' % b for b in html5[name].encode())
    print('{"%s", "%s"},' % (name, value))
