#!/usr/bin/env python3
"""Print the table by which text is folded for recognition, as C arrays.

Each character outside ASCII is kept, dropped, or stands for up to four bytes of others:
invisible characters and accents are dropped; blanks, dashes and digits of all scripts become
one each; letters lose their accents and widths; what looks like a Latin letter becomes one, and
so does its other case, whatever that looks like: a word in capitals is the same word.

Source: the Unicode Character Database, as Python's unicodedata ships it; the look-alikes are
from Unicode Technical Standard 39 (confusables), the single letters that print the same.
"""
import sys
import unicodedata

EXTRA = {'ß': 'ss', 'ẞ': 'SS', 'æ': 'ae', 'Æ': 'AE', 'œ': 'oe', 'Œ': 'OE', 'ø': 'o', 'Ø': 'O',
         'ł': 'l', 'Ł': 'L', 'đ': 'd', 'Đ': 'D', 'ð': 'd', 'Ð': 'D', 'þ': 'th', 'Þ': 'TH',
         'ħ': 'h', 'Ħ': 'H', 'ı': 'i', 'ŧ': 't', 'Ŧ': 'T', '−': '-', '⁃': '-', '‐': '-', '‑': '-',
         '\u0085': '\n', '\u2028': '\n', '\u2029': '\n', '\u2044': '/', '\u2215': '/', '№': 'No ',
         'ʼ': "'", 'ς': 'σ'}
# By their capitals; what is a small letter of one of these, too.  Not З, which looks like a digit: a
# word with it would be another one in small letters.
ALIKE = dict(zip('АВЕКМНОРСТУХІЈЅԌԚԜҺԀ', 'ABEKMHOPCTYXIJSGQWHD'))
ALIKE.update(zip('ΑΒΕΖΗΙΚΜΝΟΡΤΥΧ', 'ABEZHIKMNOPTYX'))
ALIKE.update(zip('ՕՏԼՍՀ', 'OSLUH'))
ALIKE.update([(c, ALIKE[c.upper()].lower()) for c in map(chr, range(0x80, 0x110000))
              if c.upper() in ALIKE and c not in ALIKE])
# Private characters that all programs mean alike: of symbol fonts (F000 and what Windows-1252 has
# there; of the letters only what is no bullet in them), old-style figures and small capitals of
# Adobe's glyph list.
PRIVATE = {0xf000 + ord(c): c for c in '-./0123456789ABCDEFGHIKMNOPQRSTUVWXYZ'}
PRIVATE.update({0xf700 + ord(c): c for c in '0123456789'})
PRIVATE.update({0xf700 + ord(c): c for c in 'abcdefghijklmnopqrstuvwxyz'})
DROPPED = {0x115f, 0x1160, 0x3164, 0xffa0}  # Hangul fillers: letters that show nothing
# Boxes around tables, as they are drawn in ASCII.
EXTRA.update({chr(cp): '+' for cp in range(0x2500, 0x2580)})
EXTRA.update(dict.fromkeys('─━┄┅┈┉═╌╍╴╶╸╺╼╾', '-'))
EXTRA.update(dict.fromkeys('│┃┆┇┊┋║╎╏╵╷╹╻╽╿', '|'))


def folded(c):
    """None: kept.  '': dropped."""
    category = unicodedata.category(c)
    if ord(c) in PRIVATE:
        return PRIVATE[ord(c)]
    if c in EXTRA:
        return EXTRA[c]
    if category in ('Cf', 'Mn', 'Me') or ord(c) in DROPPED:
        return ''
    if category == 'Zs':
        return ' '
    if category == 'Pd':
        return '-'
    if category == 'Nd':
        return str(unicodedata.digit(c))
    plain = ''.join(x for x in unicodedata.normalize('NFKD', c)
                    if unicodedata.category(x) not in ('Mn', 'Me', 'Cf'))
    plain = ''.join(EXTRA.get(x, ALIKE.get(x, x)) for x in plain)
    if 1 <= len(plain) <= 4 and all(' ' <= x <= '~' for x in plain):
        return plain
    if not plain:
        return ''
    # Not a syllable of Hangul, which comes apart into letters; nor signs that are no letters, such as
    # what a bracketed number is made of.
    if len(plain.encode()) <= 4 and plain != c and plain.isalpha() and not '가' <= c <= '힣':
        return plain
    return None


def main():
    strings, pages, index = ['', ''], [[0] * 256], []
    number = {}
    for page in range(0x1100):
        row = []
        for cp in range(page << 8, (page + 1) << 8):
            value = None if cp < 0x80 or 0xd800 <= cp < 0xe000 else folded(chr(cp))
            if value and value not in number:
                number[value] = len(strings)
                strings.append(value)
            row.append(0 if value is None else 1 if value == '' else number[value])
        if row not in pages:
            pages.append(row)
        index.append(pages.index(row))
    print('/* Made by fold.py from Unicode %s; do not edit. */' % unicodedata.unidata_version)
    print('/* 0: kept, 1: dropped; else a row of fold_strings, of UTF-8. */')
    print('static const char fold_strings[][5] = {')
    for s in strings:
        print('\t"%s",' % s.replace('\\', '\\\\').replace('"', '\\"').replace('\n', '\\n'))
    print('};\nstatic const guint16 fold_pages[][256] = {')
    for row in pages:
        print('\t{%s},' % ','.join(map(str, row)))
    print('};\nstatic const guint8 fold_index[0x1100] = {%s};' % ','.join(map(str, index)))
    if len(pages) > 255:
        sys.exit('too many pages')


main()
