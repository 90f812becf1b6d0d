#!/usr/bin/env python3
"""Print the charsets of one byte a character as C rows: a name, and the characters of all bytes.

Source: the mapping tables of the Unicode consortium, as Python's codecs ship them.  A byte that
has no character is U+FFFD.
"""
NAMES = ['ISO-8859-%d' % n for n in (*range(1, 11), 13, 14, 15, 16)]
NAMES += ['WINDOWS-%d' % n for n in range(1250, 1258)]
NAMES += ['KOI8-R', 'KOI8-U', 'CP437', 'CP850', 'CP858', 'IBM852', 'IBM866', 'CP273', 'MACINTOSH',
          'MAC-CYRILLIC']
NAMES += ['CP%d' % n for n in (737, 775, 855, 857, 860, 861, 862, 863, 864, 865, 869)]
NAMES += ['MAC-%s' % n for n in ('CROATIAN', 'GREEK', 'ICELAND', 'LATIN2', 'ROMANIAN', 'TURKISH')]

# Of EBCDIC for open systems Python has no codec; its neighbour differs in these bytes.
CP1047 = {0x5f: 0x5e, 0xad: 0x5b, 0xb0: 0xac, 0xba: 0xdd, 0xbb: 0xa8, 0xbd: 0x5d}


def print_row(name, characters):
    print('{"%s", {%s}},' % (name, ', '.join('0x%04x' % c for c in characters)))


print('/* Made by charsets.py; do not edit. */')
for name in NAMES:
    print_row(name, [ord(bytes([byte]).decode(name, 'replace')) for byte in range(256)])
print_row('CP1047', [CP1047.get(byte, ord(bytes([byte]).decode('cp037'))) for byte in range(256)])
