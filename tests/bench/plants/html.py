"""HTML: text, attributes, comments and all that a browser takes for one of them."""
import base64
import re
import urllib.parse
from html import escape

from .common import letters
from .xml import ATTRIBUTE, decoded, spelled

TOKEN = re.compile(r'<!--.*?-->|<![^>]*>|<\?[^>]*>|</?[a-zA-Z](?:"[^"]*"|\'[^\']*\'|[^<>"\'])*>', re.S)


def entities(v):
    return ''.join('&#%d;' % ord(c) for c in v)


def quoted_url(v):
    return urllib.parse.quote(v)


def b64(text):
    return base64.b64encode(text.encode()).decode()


# where, and what is put at the end of the body (%s: the identifier)
NEW = [
    ('text', '<p>%s</p>'), ('text, hidden', '<p hidden>%s</p>'),
    ('text, not displayed', '<div style="display:none">%s</div>'),
    ('text, white', '<font color="white">%s</font>'),
    ('text, size nought', '<span style="font-size:0">%s</span>'),
    ('text in an unknown element', '<zz-a>%s</zz-a>'),
    ('template', '<template><p>%s</p></template>'),
    ('noscript', '<noscript>%s</noscript>'), ('noframes', '<noframes>%s</noframes>'),
    ('noembed', '<noembed>%s</noembed>'), ('iframe, text', '<iframe>%s</iframe>'),
    ('iframe srcdoc', '<iframe srcdoc="&lt;p&gt;%s&lt;/p&gt;"></iframe>'),
    ('textarea', '<textarea>%s</textarea>'), ('select', '<select><option>%s</option></select>'),
    ('option value', '<select><option value="%s">x</option></select>'),
    ('option label', '<select><option label="%s"></option></select>'),
    ('datalist', '<datalist><option value="%s"></datalist>'),
    ('input value', '<input value="%s">'), ('input, hidden', '<input type=hidden name=a value="%s">'),
    ('input placeholder', '<input placeholder="%s">'), ('button value', '<button value="%s">x</button>'),
    ('output', '<output>%s</output>'), ('meter', '<meter title="%s"></meter>'),
    ('script', '<script>var a = "%s";</script>'), ('script, JSON', '<script type="application/ld+json">{"a":"%s"}</script>'),
    ('script, template', '<script type="text/template"><b>%s</b></script>'),
    ('style', '<style>.a:after { content: "%s" }</style>'), ('style comment', '<style>/* %s */</style>'),
    ('style attribute', '<p style="--a: \'%s\'">x</p>'),
    ('style background', '<p style="background: url(http://h.example/%s.png)">x</p>'),
    ('ruby', '<ruby>x<rp>(</rp><rt>%s</rt></ruby>'), ('SVG text', '<svg><text>%s</text></svg>'),
    ('SVG title', '<svg><title>%s</title></svg>'), ('SVG foreign object', '<svg><foreignObject><p>%s</p></foreignObject></svg>'),
    ('SVG attribute', '<svg><text aria-label="%s"/></svg>'), ('SVG CDATA', '<svg><text><![CDATA[%s]]></text></svg>'),
    ('MathML', '<math><mtext>%s</mtext></math>'), ('MathML annotation', '<math><annotation>%s</annotation></math>'),
    ('plaintext', '<plaintext>%s'), ('xmp', '<xmp><b>%s</b></xmp>'), ('listing', '<listing>%s</listing>'),
    ('title, second', '<title>%s</title>'), ('alt', '<img alt="%s" src="a.png">'),
    ('img src', '<img src="http://h.example/p?c=%s">'), ('img srcset', '<img srcset="http://h.example/%s 2x">'),
    ('title attribute', '<abbr title="%s">x</abbr>'), ('aria-label', '<p aria-label="%s">x</p>'),
    ('data attribute', '<p data-customer="%s">x</p>'), ('summary', '<table summary="%s"></table>'),
    ('caption', '<table><caption>%s</caption></table>'), ('text in a table, outside cells', '<table>%s<tr><td>x</table>'),
    ('abbr of a heading', '<table><th abbr="%s">x</table>'),
    ('datetime', '<time datetime="%s">x</time>'), ('cite', '<blockquote cite="%s">x</blockquote>'),
    ('id', '<p id="%s">x</p>'), ('class', '<p class="%s">x</p>'), ('name', '<a name="%s">x</a>'),
    ('lang', '<p lang="%s">x</p>'), ('event handler', '<p onclick="f(\'%s\')">x</p>'),
    ('attribute without quotes', '<p zz=%s>x</p>'), ('attribute of an end tag', '<p>x</p title="%s">'),
    ('attribute of no name', '<p "%s">x</p>'), ('attribute twice', '<p title="a" title="%s">x</p>'),
    ('link', '<a href="http://h.example/?id=%s">x</a>'), ('link mailto', '<a href="mailto:a@b.example?body=%s">x</a>'),
    ('link javascript', '<a href="javascript:f(\'%s\')">x</a>'), ('link fragment', '<a href="#%s">x</a>'),
    ('link ping', '<a ping="http://h.example/%s">x</a>'), ('link download', '<a download="%s.pdf" href="x">x</a>'),
    ('base', '<base href="http://h.example/%s/">'), ('meta content', '<meta name="author" content="%s">'),
    ('meta refresh', '<meta http-equiv="refresh" content="9;url=http://h.example/%s">'),
    ('object data', '<object data="%s"></object>'), ('object, fallback', '<object data="x.bin">%s</object>'),
    ('param', '<object><param name=a value="%s"></object>'), ('embed', '<embed src="x" flashvars="a=%s">'),
    ('applet', '<applet alt="%s"></applet>'), ('audio, fallback', '<audio>%s</audio>'),
    ('video poster', '<video poster="%s.png"></video>'), ('canvas, fallback', '<canvas>%s</canvas>'),
    ('map area', '<map><area alt="%s"></map>'), ('frame', '<frameset><frame src="%s"></frameset>'),
    ('form action', '<form action="http://h.example/%s"></form>'), ('details', '<details><summary>x</summary>%s</details>'),
    ('dialog', '<dialog>%s</dialog>'), ('fieldset legend', '<fieldset><legend>%s</legend></fieldset>'),
    ('menuitem', '<menu><menuitem label="%s"></menu>'), ('slot', '<slot>%s</slot>'), ('marquee', '<marquee>%s</marquee>'),
    ('comment', '<!-- %s -->'), ('comment, abrupt', '<!-->%s<!-- -->'), ('comment, wrong end', '<!-- x --!>%s'),
    ('comment, bang', '<! %s >'), ('comment, question mark', '<? %s >'), ('comment, slash', '</ %s >'),
    ('comment, not ended', '<!-- %s'), ('comment, nested', '<!-- <!-- x --> %s -->'),
    ('comment, conditional', '<!--[if mso]><p>%s</p><![endif]-->'),
    ('comment, conditional, shown', '<![if !mso]><p>%s</p><![endif]>'),
    ('CDATA', '<![CDATA[ %s ]]>'), ('doctype within', '<!DOCTYPE a "%s">'), ('processing', '<?xml a="%s"?>'),
    ('XML island', '<xml><a b="%s"/></xml>'), ('name of an element', '<a-%s>x</a>'), ('name of an attribute', '<p a-%s=1>x</p>'),
    ('tag not ended', '<p title="%s"'), ('behind the end', '</body></html>%s'), ('in a comment behind the end', '</body></html><!-- %s -->'),
    ('NUL before', '<p>\0%s</p>'), ('end tag with text', '<p>x</p %s>'), ('title, unclosed', '</title>%s'),
]
CODED = [
    ('text, entities', '<p>%s</p>', entities), ('text, letters apart', '<p>%s</p>', lambda v: '<b>%s</b><i>%s</i>' % (v[:4], v[4:])),
    ('text with a comment within', '<p>%s</p>', lambda v: v[:4] + '<!-- x -->' + v[4:]),
    ('text with hidden text within', '<p>%s</p>', lambda v: v[:4] + '<span style="display:none">zq</span>' + v[4:]),
    ('text with wbr and shy', '<p>%s</p>', lambda v: v[:4] + '&shy;<wbr>' + v[4:]),
    ('text over two cells', '<table><tr><td>%s</table>', lambda v: v[:6] + '<br>' + v[6:]),
    ('link, escaped', '<a href="http://h.example/?a=%s">x</a>', quoted_url),
    ('link, every letter escaped', '<a href="http://h.example/?a=%s">x</a>', lambda v: ''.join('%%%02X' % b for b in v.encode())),
    ('data URI of text', '<a href="data:text/plain,%s">x</a>', quoted_url),
    ('data URI of text, base64', '<img src="data:text/plain;base64,%s">', b64),
    ('data URI of HTML', '<iframe src="data:text/html;base64,%s"></iframe>', lambda v: b64('<p>%s</p>' % escape(v))),
    ('data URI of SVG', '<img src="data:image/svg+xml;base64,%s">', lambda v: b64(
        '<svg xmlns="http://www.w3.org/2000/svg"><text>%s</text></svg>' % escape(v))),
    ('data URI in a style', '<p style="background:url(data:image/svg+xml;base64,%s)">', lambda v: b64(
        '<svg xmlns="http://www.w3.org/2000/svg"><text>%s</text></svg>' % escape(v))),
    ('data URI of octets', '<a href="data:application/octet-stream;base64,%s">x</a>', b64),
    ('script, escaped', '<script>var a="%s"</script>', lambda v: ''.join('\\u%04x' % ord(c) for c in v)),
    ('script, base64', '<script>atob("%s")</script>', b64),
    ('style, escaped', '<style>.a:after{content:"%s"}</style>', lambda v: ''.join('\\%06x' % ord(c) for c in v)),
    ('srcdoc, twice escaped', '<iframe srcdoc="%s"></iframe>', lambda v: escape('<p>%s</p>' % entities(v))),
]


class Page:
    def __init__(self, places, data):
        self.places = places
        self.text, self.encode = self.decode(data)

    def decode(self, data):
        m = re.search(rb'charset\s*=\s*["\']?([\w-]+)', data[:2000])
        for name in (m.group(1).decode() if m else 'utf-8', 'utf-8', 'latin-1'):
            try:
                text = data.decode(name)
                return text, lambda t: t.encode(name, 'xmlcharrefreplace')
            except (LookupError, UnicodeDecodeError):
                pass
        return decoded(data)

    def insert(self, name, at, form, spell=spelled, upto=None, plain=False):
        text, encode, upto = self.text, self.encode, at if upto is None else upto

        def make(v):
            return encode(text[:at] + form.replace('%s', letters(v) if plain else spell(v)) + text[upto:])
        self.places.add(name, make, plain)

    def scan(self):
        element = ''
        for m in TOKEN.finditer(self.text):
            token, start, end = m.group(), m.start(), m.end()
            tag = re.match(r'<([a-zA-Z][^\s/>]*)', token)
            if token.startswith('<!--'):
                self.insert('a comment', end - 3, ' %s ', str)
            elif token.startswith('<!'):
                self.insert('a declaration', end - 1, ' "%s"')
            elif tag:
                element = tag.group(1).lower()
                self.insert('text in %s' % element, end, '%s ' if element not in ('script', 'style') else '/* %s */')
                self.attributes(element, token, start)
        self.insert('before the document', 0, '%s\n')
        self.insert('behind the document', len(self.text), '\n%s\n')
        self.insert('comment before the document', 0, '<!-- %s -->')

    def attributes(self, element, token, start):
        for m in ATTRIBUTE.finditer(token):
            at, end = start + m.start(2) + 1, start + m.end(2) - 1
            self.insert('%s@%s' % (element, m.group(1).lower()), end, ' %s')
            self.insert('%s@%s replaced' % (element, m.group(1).lower()), at, '%s', upto=end)

    def additions(self):
        at = self.text.lower().rfind('</body>')
        at = at if at >= 0 else len(self.text)
        for name, form in NEW:
            attribute = re.search(r'([\w-]+)=["\']?[^"\'<>]*%s', form)
            self.insert('new ' + name + (' @' + attribute.group(1) if attribute else ''), at, form, plain='name of' in name or 'without quotes' in name)
        for name, form, spell in CODED:
            self.insert('new ' + name, at, form, spell)
        for charset in ('utf-16', 'utf-8-sig', 'utf-7'):
            self.places.add('text, page in ' + charset, lambda v, charset=charset: (
                self.text[:at] + '<p>%s</p>' % escape(v) + self.text[at:]).encode(charset))


def html_places(places, data):
    page = Page(places, data)
    page.scan()
    page.additions()


def example():
    return (b'<!DOCTYPE html>\n<html><head><meta charset="utf-8"><title>Invoice</title></head>\n'
            b'<body class="a"><table><tr><td>Total</td><td align="right">12,00</td></tr></table>\n'
            b'<!-- footer --><p>Thank you</p></body></html>\n')
