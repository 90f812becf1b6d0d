"""ZIP: members, their names, comments and extra data, gaps; and Office documents in it."""
import io
import struct
import zipfile
import zlib

from .common import Within, bytes_places, letters
from .pictures import is_picture, picture_places, png
from .xml import xml_places


class Member:
    def __init__(self, name, data, method=8):
        self.name, self.method = name, method
        self.local_extra = self.central_extra = self.comment = self.before = b''
        self.listed = self.stored = True
        self.fill(data)

    def fill(self, data):
        self.data, self.crc, self.size = data, zlib.crc32(data), len(data)
        if self.method == 8:
            z = zlib.compressobj(1, zlib.DEFLATED, -15)
            self.packed = z.compress(data) + z.flush()
        else:
            self.packed = data

    def with_(self, **changes):
        other = object.__new__(Member)
        other.__dict__.update(self.__dict__)
        data = changes.pop('data', None)
        other.__dict__.update(changes)
        if data is not None:
            other.fill(data)
        return other


def write(members, comment=b'', before=b'', gap=b'', behind=b''):
    out, central = [before], []
    at = len(before)
    n = 0
    for m in members:
        name = m.name if isinstance(m.name, bytes) else m.name.encode()
        fixed = struct.pack('<HHHHHIII', 20, 0x800, m.method, 0, 0x5a21, m.crc, len(m.packed), m.size)
        if m.stored:
            piece = m.before + b'PK\3\4' + fixed + struct.pack('<HH', len(name), len(m.local_extra)) \
                + name + m.local_extra + m.packed
            here = at + len(m.before)
            out.append(piece)
            at += len(piece)
        if m.listed:
            n += 1
            central.append(b'PK\1\2' + struct.pack('<H', 20) + fixed
                           + struct.pack('<HHHHHII', len(name), len(m.central_extra), len(m.comment),
                                         0, 0, 0, here) + name + m.central_extra + m.comment)
    out.append(gap)
    at += len(gap)
    listing = b''.join(central)
    out.append(listing)
    out.append(b'PK\5\6' + struct.pack('<HHHHIIH', 0, 0, n, n, len(listing), at, len(comment))
               + comment + behind)
    return b''.join(out)


def members_of(data):
    with zipfile.ZipFile(io.BytesIO(data)) as z:
        return [Member(i.filename, z.read(i), 8 if i.compress_type == 8 else 0)
                for i in z.infolist()]


def extra(value, tag=0x7a7a):
    return struct.pack('<HH', tag, len(value)) + value


def container_places(places, members):
    """Of the ZIP itself."""
    def changed(i, **changes):
        return write(members[:i] + [members[i].with_(**changes)] + members[i + 1:])
    rng = places.rng
    for i in [0] + rng.sample(range(len(members)), min(3, len(members))):
        places.add('ZIP member comment', lambda v, i=i: changed(i, comment=v.encode()))
        places.add('ZIP extra data, local', lambda v, i=i: changed(i, local_extra=extra(v.encode())))
        places.add('ZIP extra data, central', lambda v, i=i: changed(i, central_extra=extra(v.encode())))
        places.add('ZIP extra data, unicode path', lambda v, i=i: changed(
            i, central_extra=extra(b'\1\0\0\0\0' + v.encode(), 0x7075)))
        places.add('ZIP gap before a member', lambda v, i=i: changed(i, before=b'\n' + v.encode() + b'\n'))
        places.add('ZIP member twice, listed once', lambda v, i=i: write(
            members[:i] + [members[i].with_(data=v.encode(), listed=False)] + members[i:]))
        places.add('ZIP member listed twice', lambda v, i=i: write(
            members[:i + 1] + [members[i].with_(data=v.encode())] + members[i + 1:]))
        places.add('ZIP data behind a deflate stream', lambda v, i=i: changed(
            i, packed=members[i].packed + v.encode()))
    places.add('ZIP comment', lambda v: write(members, comment=v.encode()))
    places.add('ZIP bytes before', lambda v: write(members, before=v.encode() + b'\n'))
    places.add('ZIP bytes behind', lambda v: write(members, behind=b'\n' + v.encode() + b'\n'))
    places.add('ZIP gap before the listing', lambda v: write(members, gap=b'\n' + v.encode() + b'\n'))
    places.add('ZIP member not listed', lambda v: write(
        members + [Member('note.txt', v.encode()).with_(listed=False)]))
    places.add('ZIP behind: second archive', lambda v: write(members) + write(
        [Member('note.txt', v.encode())]))
    for name in ('note.txt', 'extra/data.bin', 'customXml/item77.xml', 'noname', 'docs/readme.html',
                 '[trash]/0000.dat', 'META-INF/manifest2.xml', 'media/image99.png'):
        body = (lambda v: b'<a b="%s">%s</a>' % (v.encode(), v.encode())) if 'xml' in name \
            else (lambda v: v.encode())
        places.add('ZIP new member %s' % name, lambda v, name=name, body=body: write(
            members + [Member(name, body(v))]))
    places.add('ZIP name of a new member', lambda v: write(
        members + [Member('a %s.txt' % letters(v), b'x')]), plain=True)
    places.add('ZIP name of a new folder', lambda v: write(
        members + [Member('a %s/' % letters(v), b'', 0)]), plain=True)


def content_places(places, members, i):
    m = members[i]
    if m.name.endswith('/') or not m.data:
        return

    def wrap(data):
        return write(members[:i] + [m.with_(data=data)] + members[i + 1:])
    within = Within(places, m.name, wrap)
    if is_picture(m.data):
        picture_places(within, m.data)
    elif m.data.lstrip()[:1] == b'<' or m.data[:5] == b'\xef\xbb\xbf<?' or m.name.endswith(('.xml', '.rels')):
        xml_places(within, m.data)
    else:
        bytes_places(within, m.data)


def zip_places(places, data):
    members = members_of(data)
    container_places(places, members)
    for i in range(len(members)):
        content_places(places, members, i)
    return write(members)


def example():
    return write([Member('readme.txt', b'Dear customer,\nsee the invoice.\n'),
                  Member('data/invoice.xml', b'<invoice><total currency="EUR">12,00</total></invoice>'),
                  Member('logo.png', png())])


# ---- Office documents, as small as they may be ----

DECLARED = b'<?xml version="1.0" encoding="UTF-8"?>\n'
PACKAGE = 'http://schemas.openxmlformats.org/package/2006/'
OFFICE = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships'


def ooxml(main, type_, body, parts=()):
    """`main`: the path of the main part; `parts`: (path, type of relationship, content type, data)."""
    folder = main.rsplit('/', 1)[0]
    types = ''.join('<Override PartName="/%s" ContentType="application/vnd.openxmlformats-officedocument.%s+xml"/>' % (p, t)
                    for p, t in [(main, type_)] + [(p[0], p[2]) for p in parts])
    within = ''.join('<Relationship Id="rId%d" Type="%s/%s" Target="%s"/>' % (i + 1, OFFICE, p[1], p[0][len(folder) + 1:])
                     for i, p in enumerate(parts))
    members = [
        ('[Content_Types].xml', '<Types xmlns="%scontent-types"><Default Extension="rels" ContentType="application/vnd.openxmlformats-'
         'package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/>%s</Types>' % (PACKAGE, types)),
        ('_rels/.rels', '<Relationships xmlns="%srelationships"><Relationship Id="rId1" Type="%s/officeDocument" Target="%s"/>'
         '</Relationships>' % (PACKAGE, OFFICE, main)),
        ('%s/_rels/%s.rels' % (folder, main.rsplit('/', 1)[1]), '<Relationships xmlns="%srelationships">%s</Relationships>' % (PACKAGE, within)),
        (main, body)] + [(p[0], p[3]) for p in parts]
    return write([Member(n, DECLARED + d.encode()) for n, d in members])


def docx_example():
    w = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    return ooxml('word/document.xml', 'wordprocessingml.document.main',
                 '<w:document %s><w:body><w:p><w:r><w:t>Invoice</w:t></w:r></w:p></w:body></w:document>' % w,
                 [('word/styles.xml', 'styles', 'wordprocessingml.styles', '<w:styles %s><w:style w:type="paragraph" w:styleId="a">'
                   '<w:name w:val="Normal"/></w:style></w:styles>' % w)])


def xlsx_example():
    s = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    return ooxml('xl/workbook.xml', 'spreadsheetml.sheet.main',
                 '<workbook %s xmlns:r="%s"><sheets><sheet name="Invoice" sheetId="1" r:id="rId1"/></sheets></workbook>' % (s, OFFICE),
                 [('xl/worksheets/sheet1.xml', 'worksheet', 'spreadsheetml.worksheet', '<worksheet %s><sheetData><row r="1">'
                   '<c r="A1" t="s"><v>0</v></c><c r="B1"><v>12.5</v></c></row></sheetData></worksheet>' % s),
                  ('xl/sharedStrings.xml', 'sharedStrings', 'spreadsheetml.sharedStrings', '<sst %s><si><t>Total</t></si></sst>' % s)])


def odf_example(kind, body):
    names = ('office', 'text', 'table', 'manifest')
    spaces = ' '.join('xmlns:%s="urn:oasis:names:tc:opendocument:xmlns:%s:1.0"' % (n, n) for n in names)
    mime = 'application/vnd.oasis.opendocument.' + kind
    return write([
        Member('mimetype', mime.encode(), 0),
        Member('content.xml', DECLARED + ('<office:document-content %s><office:body><office:%s>%s</office:%s></office:body>'
                                          '</office:document-content>' % (spaces, kind, body, kind)).encode()),
        Member('META-INF/manifest.xml', DECLARED + (
            '<manifest:manifest %s><manifest:file-entry manifest:full-path="/" manifest:media-type="%s"/><manifest:file-entry '
            'manifest:full-path="content.xml" manifest:media-type="text/xml"/></manifest:manifest>' % (spaces, mime)).encode())])


def odt_example():
    return odf_example('text', '<text:p>Invoice</text:p>')


def ods_example():
    return odf_example('spreadsheet', '<table:table table:name="Invoice"><table:table-row><table:table-cell><text:p>Total</text:p>'
                       '</table:table-cell></table:table-row></table:table>')
