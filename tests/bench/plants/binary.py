"""tar, gzip, 7z, TNEF and PKCS #7."""
import base64
import gzip
import io
import struct
import tarfile
import zlib

from .common import letters, put

# ---- tar ----

def tar(files, pax=None, **more):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode='w', format=tarfile.PAX_FORMAT, pax_headers=pax or {}) as t:
        for name, data in files:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            for key, value in more.items():
                setattr(info, key, value)
            t.addfile(info, io.BytesIO(data))
    return out.getvalue()


TEXT = b'Dear customer,\nhere is your file.\n'


def tar_places(places, data):
    base = tar([('readme.txt', TEXT), ('b.txt', TEXT)])

    def second(**more):
        return tar([('readme.txt', TEXT), ('b.txt', TEXT)], **more)
    places.add('member', lambda v: tar([('readme.txt', v.encode()), ('b.txt', TEXT)]))
    places.add('new member', lambda v: tar([('readme.txt', TEXT), ('c.bin', b'\0\1\2' + v.encode())]))
    places.add('name of a member', lambda v: tar([('readme.txt', TEXT), ('a/%s' % letters(v), TEXT)]), plain=True)
    places.add('owner', lambda v: second(uname=v[:30]), plain=True)
    places.add('group', lambda v: second(gname=v[:30]), plain=True)
    places.add('pax header, global', lambda v: second(pax={'comment': v}))
    places.add('pax header of a member', lambda v: second(pax_headers={'SCHILY.xattr.user.note': v}))
    places.add('pax comment of a member', lambda v: second(pax_headers={'comment': v}))
    places.add('target of a link', lambda v: second(type=tarfile.SYMTYPE, linkname=v[:90]))
    places.add('behind the end', lambda v: base + v.encode())
    places.add('between the end marks', lambda v: put(base, len(base) - 600, v.encode(), len(base) - 600 + len(v.encode())))
    at = 512 + len(TEXT)
    places.add('padding of a member', lambda v: put(base, at + 5, v.encode(), at + 5 + len(v.encode())))
    places.add('padding of a header', lambda v: put(base, 501, v.encode()[:11], 512) if len(v) < 12 else None)
    places.add('second archive behind', lambda v: base + tar([('c.txt', v.encode())]))
    return base


# ---- gzip ----

def gzipped(data, flags=0, fields=b'', behind=b''):
    z = zlib.compressobj(1, zlib.DEFLATED, -15)
    return b'\x1f\x8b\x08' + bytes([flags]) + b'\0\0\0\0\0\3' + fields + z.compress(data) + z.flush() \
        + struct.pack('<II', zlib.crc32(data), len(data)) + behind


def gz_places(places, data):
    places.add('content', lambda v: gzipped(TEXT + v.encode()))
    places.add('content that is HTML', lambda v: gzipped(b'<html><p>%s</p></html>' % v.encode()))
    places.add('file name', lambda v: gzipped(TEXT, 8, letters(v).encode() + b'\0'), plain=True)
    places.add('comment', lambda v: gzipped(TEXT, 16, v.encode() + b'\0'))
    places.add('extra field', lambda v: gzipped(TEXT, 4, struct.pack('<H', len(v.encode()) + 4) + b'zz' + struct.pack(
        '<H', len(v.encode())) + v.encode()))
    places.add('second member', lambda v: gzipped(TEXT) + gzipped(v.encode()))
    places.add('behind', lambda v: gzipped(TEXT, behind=v.encode()))
    places.add('behind, after NULs', lambda v: gzipped(TEXT, behind=b'\0' * 600 + v.encode()))
    places.add('gzip in gzip', lambda v: gzipped(gzipped(v.encode())))
    return gzip.compress(TEXT)


# ---- 7z, without compression ----

def number(n):
    return bytes([n]) if n < 0x80 else bytes([0x80 | n >> 8, n & 0xff]) if n < 0x4000 else b'\xe0' + struct.pack('<I', n)[:3]


def seven(files, gap=b'', behind=b'', extra=b''):
    packed = b''.join(d for _, d in files)
    names = b''.join(n.encode('utf-16-le') + b'\0\0' for n, _ in files)
    streams = b'\x04\x06\x00' + number(1) + b'\x09' + number(len(packed)) + b'\x00' \
        + b'\x07\x0b' + number(1) + b'\x00' + number(1) + b'\x01\x00' + b'\x0c' + number(len(packed)) + b'\x00' \
        + b'\x08\x0d' + number(len(files)) + (b'\x09' + b''.join(number(len(d)) for _, d in files[:-1]) if len(files) > 1 else b'') \
        + b'\x0a\x01' + b''.join(struct.pack('<I', zlib.crc32(d)) for _, d in files) + b'\x00\x00'
    header = b'\x01' + streams + b'\x05' + number(len(files)) + b'\x11' + number(len(names) + 1) + b'\x00' + names + extra + b'\x00\x00'
    start = struct.pack('<QQI', len(packed) + len(gap), len(header), zlib.crc32(header))
    return b"7z\xbc\xaf'\x1c\0\4" + struct.pack('<I', zlib.crc32(start)) + start + packed + gap + header + behind


def seven_places(places, data):
    base = [('readme.txt', TEXT), ('b.txt', TEXT)]
    places.add('member', lambda v: seven([('readme.txt', TEXT + v.encode())]))
    places.add('second member', lambda v: seven(base[:1] + [('c.bin', b'\0\1' + v.encode())]))
    places.add('name of a member', lambda v: seven(base[:1] + [('a %s.txt' % letters(v), TEXT)]), plain=True)
    places.add('gap before the header', lambda v: seven(base, gap=v.encode()))
    places.add('behind', lambda v: seven(base, behind=v.encode()))
    places.add('padding property', lambda v: seven(base, extra=b'\x19' + number(len(v.encode())) + v.encode()))
    places.add('before', lambda v: v.encode() + b'\n' + seven(base))
    return seven(base)


# ---- TNEF ----

def attribute(level, tag, data):
    return bytes([level]) + struct.pack('<II', tag, len(data)) + data + struct.pack('<H', sum(data) & 0xffff)


def property_(tag, data):
    """A string, counted, padded to four."""
    return struct.pack('<III', tag, 1, len(data)) + data + b'\0' * (-len(data) % 4)


def tnef(attributes, behind=b''):
    return struct.pack('<IH', 0x223e9f78, 1) + attribute(1, 0x00089006, struct.pack('<I', 0x10000)) + b''.join(attributes) + behind


def tnef_places(places, data):
    subject, body = attribute(1, 0x00018004, b'Invoice\0'), attribute(1, 0x0002800c, b'Dear customer\0')
    file = attribute(2, 0x00069002, b'\1\0' + b'\0' * 12)
    title = attribute(2, 0x00018010, b'a.txt\0')
    content = attribute(2, 0x0006800f, TEXT)

    def props(*list_):
        return attribute(1, 0x00069003, struct.pack('<I', len(list_)) + b''.join(list_))

    def file_props(*list_):
        return attribute(2, 0x00069005, struct.pack('<I', len(list_)) + b''.join(list_))
    full = [subject, body, file, title, content]
    places.add('subject', lambda v: tnef([attribute(1, 0x00018004, v.encode('cp1252', 'replace') + b'\0'), body]))
    places.add('body', lambda v: tnef([subject, attribute(1, 0x0002800c, v.encode('cp1252', 'replace') + b'\0')]))
    places.add('sender', lambda v: tnef([attribute(1, 0x00008000, v.encode() + b'\0')] + full))
    places.add('message identifier', lambda v: tnef([attribute(1, 0x00018009, v.encode() + b'\0')] + full))
    places.add('unknown attribute', lambda v: tnef(full[:2] + [attribute(1, 0x00069f9f, v.encode())] + full[2:]))
    places.add('unknown attribute of an attachment', lambda v: tnef(full + [attribute(2, 0x00069f9e, v.encode())]))
    places.add('attachment', lambda v: tnef(full[:4] + [attribute(2, 0x0006800f, v.encode())]))
    places.add('attachment title', lambda v: tnef(full[:3] + [attribute(2, 0x00018010, v.encode() + b'\0'), content]))
    places.add('attachment picture', lambda v: tnef(full + [attribute(2, 0x00068011, v.encode())]))
    places.add('attachment transport name', lambda v: tnef(full + [attribute(2, 0x00069001, v.encode() + b'\0')]))
    for name, tag in (('subject', 0x0037), ('body', 0x1000), ('HTML', 0x1013), ('display to', 0x0e04), ('sender name', 0x0c1a),
                      ('unknown', 0x66ff), ('attachment name', 0x3707), ('conversation topic', 0x0070), ('custom', 0x7ffe)):
        places.add('property %s' % name, lambda v, t=tag: tnef(full[:2] + [props(property_(t << 16 | 0x1e, v.encode() + b'\0'))]))
        places.add('property %s, Unicode' % name, lambda v, t=tag: tnef(full[:2] + [props(property_(
            t << 16 | 0x1f, v.encode('utf-16-le') + b'\0\0'))]))
        places.add('property %s, binary' % name, lambda v, t=tag: tnef(full[:2] + [props(property_(t << 16 | 0x102, v.encode()))]))
    places.add('property of an attachment', lambda v: tnef(full + [file_props(property_(0x3707001e, v.encode() + b'\0'))]))
    places.add('data of an attachment as property', lambda v: tnef(full[:4] + [file_props(property_(0x37010102, v.encode()))]))
    places.add('property with a name', lambda v: tnef(full[:2] + [props(
        struct.pack('<I', 0x8001001e) + b'\0' * 16 + struct.pack('<II', 1, len(v) * 2 + 2) + (v + '\0').encode('utf-16-le')
        + b'\0' * (-(len(v) * 2 + 2) % 4) + struct.pack('<II', 1, 2) + b'x\0\0\0')]))
    places.add('recipients', lambda v: tnef(full[:2] + [attribute(1, 0x00069004, struct.pack('<II', 1, 1) + property_(
        0x3001001e, v.encode() + b'\0'))]))
    places.add('behind the end', lambda v: tnef(full, v.encode()))
    return tnef(full)


# ---- PKCS #7 ----

def der(tag, *parts):
    body = b''.join(parts)
    n = len(body)
    size = bytes([n]) if n < 128 else bytes([0x82]) + struct.pack('>H', n)
    return bytes([tag]) + size + body


OID_SIGNED, OID_DATA = bytes.fromhex('06092a864886f70d010702'), bytes.fromhex('06092a864886f70d010701')
MAIL = b'Content-Type: text/plain\r\n\r\nDear customer %s\r\n'


def signed(content, more=b'', behind=b'', indefinite=False):
    octets = der(4, content)
    if indefinite:
        half = len(content) // 2
        octets = b'\x24\x80' + der(4, content[:half]) + der(4, content[half:]) + b'\0\0'
    return der(0x30, OID_SIGNED, der(0xa0, der(0x30, der(2, b'\1'), der(0x31), der(
        0x30, OID_DATA, der(0xa0, octets)), more, der(0x31)))) + behind


def p7m_places(places, data):
    plain = MAIL % b''
    places.add('content', lambda v: signed(MAIL % v.encode()))
    places.add('content in two strings', lambda v: signed(MAIL % v.encode(), indefinite=True))
    places.add('content that is no MIME', lambda v: signed(b'<a><b>%s</b></a>' % v.encode()))
    places.add('content that is HTML', lambda v: signed(b'<html><p>%s</p></html>' % v.encode()))
    places.add('behind', lambda v: signed(plain, behind=v.encode()))
    places.add('before', lambda v: v.encode() + b'\n' + signed(plain))
    places.add('certificates', lambda v: signed(plain, der(0xa0, der(0x30, der(0x0c, v.encode())))))
    places.add('revocation lists', lambda v: signed(plain, der(0xa1, der(0x30, der(0x0c, v.encode())))))

    def pem(v, title=b'PKCS7', before=b'', after=b''):
        return before + b'-----BEGIN %s-----\n' % title + base64.encodebytes(signed(MAIL % v)) + b'-----END %s-----\n' % title + after
    places.add('PEM', lambda v: pem(v.encode()))
    places.add('PEM of CMS', lambda v: pem(v.encode(), b'CMS'))
    places.add('text before PEM', lambda v: pem(b'', before=v.encode() + b'\n'))
    places.add('text behind PEM', lambda v: pem(b'', after=v.encode() + b'\n'))
    places.add('base64', lambda v: base64.encodebytes(signed(MAIL % v.encode())))
    places.add('signed twice', lambda v: signed(signed(MAIL % v.encode())))
    return signed(plain)
