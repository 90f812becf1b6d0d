"""PNG, JPEG and GIF: each chunk, and what stands behind."""
import struct
import zlib


def is_picture(data):
    return data[:8] == b'\x89PNG\r\n\x1a\n' or data[:3] == b'\xff\xd8\xff' or data[:4] == b'GIF8'


def chunk(kind, data):
    return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))


def png(width=8, height=8):
    rows = b''.join(b'\0' + bytes(range(width)) for _ in range(height))
    return b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', struct.pack('>IIBBBBB', width, height, 8, 0, 0, 0, 0)) \
        + chunk(b'IDAT', zlib.compress(rows)) + chunk(b'IEND', b'')


def gif():
    return b'GIF89a\1\0\1\0\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0\1\0\1\0\0\2\2D\1\0;'


def jpeg():
    """Not a picture that anyone would frame, but its segments are right."""
    def segment(marker, body):
        return b'\xff' + bytes([marker]) + struct.pack('>H', len(body) + 2) + body
    table = bytes([0] + [16] * 64)
    huffman = bytes([0] + [0, 1] + [0] * 14 + [0])
    frame = struct.pack('>BHHB', 8, 8, 8, 1) + bytes([1, 0x11, 0])
    return b'\xff\xd8' + segment(0xe0, b'JFIF\0\1\1\0\0\1\0\1\0\0') + segment(0xdb, table) \
        + segment(0xc0, frame) + segment(0xc4, huffman) + segment(0xc4, bytes([0x10]) + huffman[1:]) \
        + segment(0xda, bytes([1, 1, 0, 0, 63, 0])) + b'\x3f\xff\xd9'


def exif(value):
    """TIFF with one ImageDescription."""
    text = value.encode() + b'\0'
    return b'II*\0\10\0\0\0\1\0' + struct.pack('<HHII', 0x10e, 2, len(text), 26) + b'\0\0\0\0' + text


XMP = ('<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF '
       'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
       'xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:source>%s</dc:source></rdf:Description></rdf:RDF>'
       '</x:xmpmeta><?xpacket end="w"?>')


def png_places(places, data):
    end = data.rfind(b'IEND') - 4
    first = 33
    chunks = (
        ('tEXt', lambda v: chunk(b'tEXt', b'Comment\0' + v.encode('latin-1', 'replace'))),
        ('tEXt keyword', lambda v: chunk(b'tEXt', v.encode('latin-1', 'replace') + b'\0x')),
        ('zTXt', lambda v: chunk(b'zTXt', b'Comment\0\0' + zlib.compress(v.encode()))),
        ('iTXt', lambda v: chunk(b'iTXt', b'Comment\0\0\0de\0Bem\0' + v.encode())),
        ('iTXt compressed', lambda v: chunk(b'iTXt', b'Comment\0\1\0de\0Bem\0' + zlib.compress(v.encode()))),
        ('iTXt XMP', lambda v: chunk(b'iTXt', b'XML:com.adobe.xmp\0\0\0\0\0' + (XMP % v).encode())),
        ('eXIf', lambda v: chunk(b'eXIf', exif(v))),
        ('iCCP', lambda v: chunk(b'iCCP', b'p\0\0' + zlib.compress(v.encode()))),
        ('private chunk', lambda v: chunk(b'vpAg', v.encode())),
        ('sPLT', lambda v: chunk(b'sPLT', v.encode() + b'\0\10')))
    for name, make in chunks:
        for at in {first, end}:
            places.add('PNG ' + name, lambda v, make=make, at=at: data[:at] + make(v) + data[at:])
    places.add('PNG bytes behind', lambda v: data + v.encode())


def jpeg_places(places, data):
    def segment(marker, body):
        return data[:2] + b'\xff' + bytes([marker]) + struct.pack('>H', len(body) + 2) + body + data[2:]
    places.add('JPEG comment', lambda v: segment(0xfe, v.encode()))
    places.add('JPEG Exif', lambda v: segment(0xe1, b'Exif\0\0' + exif(v)))
    places.add('JPEG XMP', lambda v: segment(0xe1, b'http://ns.adobe.com/xap/1.0/\0' + (XMP % v).encode()))
    places.add('JPEG IPTC', lambda v: segment(0xed, b'Photoshop 3.0\x008BIM\4\4\0\0' + struct.pack(
        '>I', len(v.encode()) + 5) + b'\x1c\2\x78' + struct.pack('>H', len(v.encode())) + v.encode()))
    for marker in (0xe2, 0xe7, 0xec, 0xee):
        places.add('JPEG APP%d' % (marker - 0xe0), lambda v, marker=marker: segment(marker, v.encode()))
    places.add('JPEG bytes behind', lambda v: data + v.encode())


def gif_places(places, data):
    at = 13 + (3 << ((data[10] & 7) + 1) if data[10] & 0x80 else 0)

    def block(label, body, head=b''):
        return data[:at] + b'\x21' + bytes([label]) + head + bytes([len(body)]) + body + b'\0' + data[at:]
    places.add('GIF comment', lambda v: block(0xfe, v.encode()))
    places.add('GIF application', lambda v: block(0xff, v.encode(), b'\x0bZZZZZZZZ1.0'))
    places.add('GIF plain text', lambda v: block(1, v.encode(), b'\x0c' + b'\0' * 12))
    places.add('GIF bytes behind', lambda v: data + v.encode())


def picture_places(places, data):
    if data[:4] == b'\x89PNG':
        png_places(places, data)
    elif data[:4] == b'GIF8':
        gif_places(places, data)
    else:
        jpeg_places(places, data)
    return data
