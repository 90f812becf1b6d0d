"""Formats that are text: JSON, CSV, calendars and cards, RTF."""
import base64
import re

from .common import put
from .pictures import png


def inserted(places, name, data, at, spell=lambda v: v.encode(), upto=None, plain=False):
    places.add(name, lambda v: put(data, at, spell(v), upto), plain)


# ---- JSON ----

STRING = re.compile(rb'"((?:[^"\\]|\\.)*)"(\s*:)?')


def json_spelled(v):
    return v.replace('\\', '\\\\').replace('"', '\\"').encode()


def json_escaped(v):
    return ''.join('\\u%04x' % ord(c) for c in v).encode()


def json_places(places, data):
    for m in STRING.finditer(data):
        what = 'key' if m.group(2) else 'string'
        inserted(places, what + ', replaced', data, m.start(1), json_spelled, m.end(1))
        inserted(places, what + ', appended', data, m.end(1), lambda v: b' ' + json_spelled(v))
        inserted(places, what + ', escaped', data, m.start(1), json_escaped, m.end(1))
    for m in re.finditer(rb':\s*(-?\d[\d.eE+-]*|true|false|null)\s*(?=[,}\]])', data):
        inserted(places, 'number or word become string', data, m.start(1), lambda v: b'"' + json_spelled(v) + b'"', m.end(1))
    for m in re.finditer(rb'[{\[,]', data):
        inserted(places, 'comment', data, m.end(), lambda v: b'/* ' + v.encode() + b' */')
    first = re.search(rb'\{', data)
    if first:
        inserted(places, 'base64 in a string', data, first.end(), lambda v: b'"zz": "' + base64.b64encode(
            b'The number of the customer: ' + v.encode()) + b'", ')
        inserted(places, 'array of words', data, first.end(), lambda v: b'"zz": [[["' + json_spelled(v) + b'"]]], ')
    inserted(places, 'behind the end', data, len(data), lambda v: b'\n' + v.encode())
    inserted(places, 'before the beginning', data, 0, lambda v: v.encode() + b'\n')
    places.add('in UTF-16', lambda v: data.decode('utf-8', 'replace').replace('"', '"' + v + ' ', 1).encode('utf-16'))


# ---- CSV ----

def csv_places(places, data):
    separator = b';' if data.count(b';') > data.count(b',') else b','
    lines = data.split(b'\n')
    at = 0
    for i, line in enumerate(lines[:300]):
        row = 'heading' if i == 0 else 'row'
        for m in re.finditer(rb'(?:^|[' + separator + rb'])([^' + separator + rb'\r]*)', line):
            inserted(places, 'cell of a %s' % row, data, at + m.start(1), upto=at + m.end(1))
            inserted(places, 'cell of a %s, quoted' % row, data, at + m.start(1),
                     lambda v: b'"' + v.encode() + b'"', at + m.end(1))
            inserted(places, 'cell of a %s, formula' % row, data, at + m.start(1),
                     lambda v: b'="' + v.encode() + b'"', at + m.end(1))
        inserted(places, 'cell too many in a %s' % row, data, at + len(line.rstrip(b'\r')), lambda v: separator + v.encode())
        inserted(places, 'line before a %s' % row, data, at, lambda v: b'# ' + v.encode() + b'\n')
        at += len(line) + 1
    inserted(places, 'behind the end', data, len(data), lambda v: b'\n' + v.encode())
    for charset in ('utf-16', 'utf-8-sig'):
        places.add('in ' + charset, lambda v, c=charset: (data.decode('utf-8', 'replace') + '\n%s;1\n' % v).encode(c))


def csv_example():
    return b'Position;Text;Amount\r\n1;Hosting;12,00\r\n2;"Support; monthly";30,00\r\n'


# ---- calendars and cards ----

def card_places(places, data):
    for m in re.finditer(rb'^([A-Za-z-]+)((?:;[^:\r\n]*)?):([^\r\n]*)', data, re.M):
        name = m.group(1).decode().upper()
        if name in ('BEGIN', 'END'):
            inserted(places, 'between properties', data, m.start(), lambda v: v.encode() + b'\r\n')
            continue
        inserted(places, 'value of %s' % name, data, m.end(3), lambda v: b' ' + v.encode())
        inserted(places, 'value of %s, replaced' % name, data, m.start(3), upto=m.end(3))
        inserted(places, 'parameter', data, m.end(2), lambda v: b';X-ZZ="' + v.encode() + b'"')
        for new, form in (('unknown property', b'X-ZZ:%s\r\n'), ('comment', b'COMMENT:%s\r\n'),
                          ('attachment', b'ATTACH:http://h.example/%s\r\n'), ('folded', b'NOTE:a\r\n  %s\r\n'),
                          ('grouped', b'item1.NOTE:%s\r\n'), ('address', b'ADR:;;%s;;;;\r\n'),
                          ('organizer', b'ORGANIZER;CN="%s":mailto:a@b.example\r\n'),
                          ('categories', b'CATEGORIES:a,%s\r\n'), ('alternative', b'X-ALT-DESC;FMTTYPE=text/html:<p>%s</p>\r\n')):
            inserted(places, 'new: ' + new, data, m.start(), lambda v, f=form: f.replace(b'%s', v.encode()))
        inserted(places, 'new: quoted-printable', data, m.start(), lambda v: b'NOTE;ENCODING=QUOTED-PRINTABLE:'
                 + b''.join(b'=%02X' % c for c in v.encode()) + b'\r\n')
        inserted(places, 'new: folded within', data, m.start(), lambda v: b'NOTE:' + v.encode()[:6] + b'\r\n '
                 + v.encode()[6:] + b'\r\n')
        for what, field in (('attachment, base64', b'ATTACH;FMTTYPE=text/plain;ENCODING=BASE64;VALUE=BINARY:'),
                            ('photo, base64', b'PHOTO;ENCODING=b;TYPE=PNG:'), ('key, base64', b'KEY;ENCODING=b:'),
                            ('value, base64', b'NOTE;ENCODING=BASE64:')):
            inserted(places, 'new: ' + what, data, m.start(), lambda v, f=field: f + base64.b64encode(
                b'The text of this: ' + v.encode()) + b'\r\n')
        inserted(places, 'new: data URI', data, m.start(), lambda v: b'PHOTO:data:text/plain;base64,'
                 + base64.b64encode(v.encode()) + b'\r\n')
    inserted(places, 'behind the end', data, len(data))
    inserted(places, 'before the beginning', data, 0, lambda v: v.encode() + b'\r\n')


def ics_example():
    return (b'BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//a//b//EN\r\nBEGIN:VEVENT\r\nUID:1@a\r\n'
            b'DTSTART:20250701T100000Z\r\nSUMMARY:Meeting\r\nDESCRIPTION:About the contract\r\nLOCATION:Room 1\r\n'
            b'ATTENDEE;CN=Max:mailto:max@buyer.example\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n')


def vcf_example():
    return (b'BEGIN:VCARD\r\nVERSION:3.0\r\nN:Muster;Max;;;\r\nFN:Max Muster\r\nORG:Buyer;Sales\r\n'
            b'TEL;TYPE=WORK:+49 30 1\r\nEMAIL:max@buyer.example\r\nURL:http://buyer.example/\r\nEND:VCARD\r\n')


# ---- RTF ----

GROUPS = ['{\\*\\zz %s}', '{\\zz %s}', '{\\info{\\title %s}}', '{\\info{\\author %s}}', '{\\info{\\doccomm %s}}', '{\\*\\userprops{\\propname a}\\proptype30{\\staticval %s}}',
          '{\\*\\annotation %s}', '{\\*\\atnid %s}', '{\\*\\atnauthor %s}', '{\\v %s}', '{\\deleted %s}', '{\\footnote %s}', '{\\header %s}',
          '{\\footer %s}', '{\\field{\\*\\fldinst HYPERLINK "http://h.example/%s"}{\\fldrslt x}}', '{\\field{\\*\\fldinst x}{\\fldrslt %s}}',
          '{\\*\\bkmkstart %s}', '{\\xe %s}', '{\\tc %s}', '{\\*\\docvar {a}{%s}}', '{\\*\\xmlns1 %s}', '{\\*\\generator %s;}', '{\\*\\company %s}',
          '{\\stylesheet{\\s9 %s;}}', '{\\fonttbl{\\f99 %s;}}', '{\\*\\revtbl{%s;}}', '{\\*\\falt %s}', '{\\shp{\\*\\shpinst{\\shptxt %s}}}',
          '{\\shp{\\*\\shpinst{\\sp{\\sn gtextUNICODE}{\\sv %s}}}}', '{\\shp{\\*\\shpinst{\\sp{\\sn wzDescription}{\\sv %s}}}}', '{\\*\\do{\\dptxbxtext %s}}',
          '{\\*\\template %s}', '{\\*\\themedata %s}', '{\\*\\datastore %s}', '{\\*\\passwordhash %s}', '{\\nonshppict %s}', '{\\upr{%s}{\\*\\ud{x}}}',
          '{\\upr{x}{\\*\\ud{%s}}}', '{\\*\\formfield{\\*\\ffdeftext %s}}', '{\\*\\formfield{\\*\\ffl %s}}', '{\\listtext %s}', '{\\pntext %s}', '{\\*\\pnseclvl1{\\pntxta %s}}',
          '{\\*\\mailmerge{\\*\\mmquery %s}}', '{\\*\\htmltag64 <p>%s</p>}', '{\\*\\mhtmltag %s}', '{\\*\\protusertbl{%s}}', '{\\*\\oldcprops %s}', '{\\*\\levelmarker %s}']


def rtf_spelled(v):
    return ''.join(c if c.isascii() and c not in '\\{}' else '\\' + c if c in '\\{}' else '\\u%d?' % ord(c) for c in v)


def rtf_places(places, data):
    for m in re.finditer(rb'(?<=[ \w.])\r?\n|\\par\b', data):
        inserted(places, 'text', data, m.start(), lambda v: b' ' + rtf_spelled(v).encode() + b' ')
        inserted(places, 'text in hexadecimal', data, m.start(), lambda v: b' ' + b''.join(
            b"\\'%02x" % c for c in v.encode('cp1252', 'replace')) + b' ')
        inserted(places, 'text in Unicode', data, m.start(), lambda v: b' ' + b''.join(
            b'\\u%d?' % ord(c) for c in v) + b' ')
        inserted(places, 'text with words within', data, m.start(), lambda v: b' ' + b'{\\b '.join(
            [v.encode('cp1252', 'replace')[:4], v.encode('cp1252', 'replace')[4:]]) + b'} ')
        for form in GROUPS:
            inserted(places, 'new group ' + form.replace(' %s', '').replace('%s', ''), data, m.start(),
                     lambda v, f=form: f.replace('%s', rtf_spelled(v)).encode())
        inserted(places, 'new picture', data, m.start(), lambda v: b'{\\pict\\pngblip ' + (
            png() + v.encode()).hex().encode() + b'}')
        inserted(places, 'new metafile', data, m.start(), lambda v: b'{\\pict\\wmetafile8 ' + v.encode('utf-16-le').hex().encode() + b'}')
        inserted(places, 'new object', data, m.start(), lambda v: b'{\\object\\objemb{\\*\\objclass Package}{\\*\\objdata '
                 + v.encode().hex().encode() + b'}}')
        inserted(places, 'new binary', data, m.start(), lambda v: b'{\\*\\zz\\bin%d ' % len(v.encode()) + v.encode() + b'}')
    for m in list(re.finditer(rb'\{\\\*?\\?([a-z]+)', data)):
        end = data.find(b'}', m.end())
        if end > 0 and data[end - 1:end] != b'\\':
            inserted(places, 'group %s' % m.group(1).decode(), data, end, lambda v: b' ' + rtf_spelled(v).encode())
    inserted(places, 'behind the end', data, len(data), lambda v: b'\n' + v.encode())
    inserted(places, 'before the beginning', data, 0, lambda v: v.encode() + b'\n')


def rtf_example():
    return (b'{\\rtf1\\ansi\\deff0{\\fonttbl{\\f0 Arial;}}{\\info{\\title Invoice}}\\pard Invoice for services\\par\r\n'
            b'Total 12,00\\par\r\n}')
