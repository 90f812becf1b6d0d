/*
 * What a document is, whatever its label and its first bytes say: each row is read, and asked for
 * texts and for what is unread.  Rows come with a twin that only looks like them.
 */
#include "config.h"

#include <zlib.h>

#include "documents.h"
#include "gotten.h"

typedef struct {
	const char *name, *label, *data;
	gssize len; /* -1: a string */
	const char *text, *unread;
} Row;

/* Of a host's record. */
#define BLANKS "\x40\x40\x40\x40\x40\x40\x40\x40\x40\x40\x40\x40\x40\x40\x40\x40"

#define BYTES(literal) literal, sizeof(literal) - 1

static void run(const Row *rows, gsize n)
{
	for (gsize i = 0; i < n; i++) {
		const Row *row = &rows[i];
		gsize len = row->len < 0 ? strlen(row->data) : (gsize)row->len;
		g_autoptr(GByteArray) bytes = g_byte_array_append(
			g_byte_array_new(), (const guint8 *)row->data, (guint)len);
		dump(row->name, bytes);
		MsLimits limits;
		ms_limits_default(&limits);
		Got got = read_as(bytes, row->label, &limits);
		check(row->name, &got, row->text, row->unread);
		got_free(&got);
	}
}

/* ---- beginnings ------------------------------------------------------------------------ */

static void test_beginnings(void)
{
	static const Row rows[] = {
		{"text of ID3", "", "ID3;name;value\r\n1;x;C-10002\r\n", -1, "C-10002", ""},
		{"text of GIF89a", "", "GIF89a is a format. C-10002\n", -1, "C-10002", ""},
		{"text of BM", "", "BM;10;20;C-10002\n", -1, "C-10002", ""},
		{"text of OggS", "text/plain", "OggS C-10002\n", -1, "C-10002", ""},
		{"text of ftyp", "text/plain", "1234ftyp C-10002 is a long enough text\n", -1,
			"C-10002", ""},
		{"text of RIFF", "", "RIFF1234WAVE C-10002\n", -1, "C-10002", ""},
		{"text of II", "", "II*2 C-10002\n", -1, "C-10002", ""},
		{"text of fLaC", "", "fLaC C-10002\n", -1, "C-10002", ""},
		{"text of MZ", "", "MZ is a customer: C-10002\n", -1, "C-10002", ""},
		{"HTML of GIF", "text/html", "GIF89a invoice<br>C-100<b>02</b>", -1, "C-10002", ""},
		{"HTML of BM", "text/html", BYTES("BM0000\0\0\0\0<html>C-100<b>02</b>"), "C-10002",
			""},
		{"HTML of ID3", "text/html", "ID3 <br>C-100<b>02</b>", -1, "C-10002", ""},
		{"HTML that begins as a card", "text/html", "BEGIN:VCARD<br>C-100<b>02</b>", -1,
			"C-10002", ""},
		{"HTML that begins as RTF", "text/html", "{\\rtf1{\\*\\x }}{\\*\\y C-100<b>02</b>}",
			-1, "C-10002", ""},
		{"lists with NULs", "text/csv", BYTES("BM;;;;\0\0\0\0C-10002\n"), "C-10002", ""},
		{"GIF", "image/gif", BYTES(GIF), "", "image"},
		{"PNG", "image/png", BYTES(PNG), "", "image"},
		{"JPEG", "image/jpeg", BYTES(JPEG), "", "image"},
		{"JPEG by another label", "image/png", BYTES(JPEG), "", "image"},
		{"picture as text", "text/plain", BYTES(GIF), "", "image"},
	};
	run(rows, G_N_ELEMENTS(rows));
}

static void test_labels(void)
{
	static const Row rows[] = {
		{"text as picture", "image/png", "C-10002 and more\n", -1, "C-10002", ""},
		{"HTML as picture", "image/gif", "<html>C-100<b>02</b></html>", -1, "C-10002", ""},
		{"text as sound", "audio/mpeg", "C-10002 and more\n", -1, "C-10002", ""},
		{"no picture", "image/png", BYTES("\1\2\3\4C-10002\0\0\0\0\0\0\0\0"), "",
			"no-reader"},
		{"a zero", "application/octet-stream", BYTES("\0"), "", ""},
		{"zeros and blanks", "application/pdf", BYTES("\r\n\0\0 \0"), "", ""},
		{"zeros and a byte", "application/octet-stream", BYTES("\0\0\0\1"), "",
			"no-reader"},
		{"text as signature", "application/pgp-signature", "C-10002\n", -1, "C-10002", ""},
		{"HTML as signature", "application/x-pkcs7-signature",
			"<html>C-100<b>02</b></html>", -1, "C-10002", ""},
		{"text behind a signature", "application/pgp-signature",
			"-----BEGIN PGP SIGNATURE-----\n\niAoEABYIAAA=\n"
			"-----END PGP SIGNATURE-----\nC-10002\n",
			-1, "C-10002", ""},
		{"comment of a signature", "application/pgp-signature",
			"-----BEGIN PGP SIGNATURE-----\n"
			"Comment: C-10002\n\niAIEAA==\n=abcd\n-----END PGP SIGNATURE-----\n",
			-1, "C-10002", "signature"},
		{"text in a signature", "application/pgp-signature",
			"-----BEGIN PGP SIGNATURE-----\n\n"
			"QzEwMDAyQzEwMDAy\n-----END PGP SIGNATURE-----\n",
			-1, "QzEw", ""},
		{"signature", "application/pgp-signature",
			"-----BEGIN PGP SIGNATURE-----\n\niAIEAA==\n=abcd\n"
			"-----END PGP SIGNATURE-----\n",
			-1, "", "signature"},
		{"binary signature", "application/pgp-signature", BYTES("\x88\x02\x04\x00"), "",
			"signature"},
	};
	run(rows, G_N_ELEMENTS(rows));
}

/* ---- two things in one ----------------------------------------------------------------- */

static GByteArray *join(const char *head, gsize n, GByteArray *tail)
{
	return g_byte_array_prepend(tail, (const guint8 *)head, (guint)n);
}

static void test_polyglots(void)
{
	expect("PDF behind a card",
		join(BYTES("BEGIN:VCARD\nEND:VCARD\n"), make_pdf("Twofold-1", "", "", "")),
		"Twofold-1", "");
	expect("PDF behind RTF", join(BYTES("{\\rtf1}\n"), make_pdf("Twofold-1", "", "", "")),
		"Twofold-1", "");
	expect("PDF behind text", join(BYTES("ID3"), make_pdf("Twofold-1", "", "", "")),
		"Twofold-1", "");
	expect("PDF in a comment of a picture",
		join(BYTES(GIF_HEAD), make_pdf("Twofold-1", "", "", "")), "Twofold-1", "no-reader");
	expect("ZIP behind HTML", join(BYTES("<html>x</html>\n"), ZIP({"a.txt", "Twofold-1", -1})),
		"Twofold-1", "");
	expect("ZIP behind a card",
		join(BYTES("BEGIN:VCARD\nEND:VCARD\n"), ZIP({"a.txt", "Twofold-1", -1})),
		"Twofold-1", "");
	expect("ZIP behind a picture", join(BYTES(GIF), ZIP({"a.txt", "Twofold-1", -1})),
		"Twofold-1", "image");
	expect("text about PDF", bytes_of("The header is %PDF-1.4, C-10002\n"), "C-10002", "");
}

/* ---- pictures -------------------------------------------------------------------------- */

#define CHUNK(size, type, data) "\0\0\0" size type data "CRC!"
#define XMP \
	"<x:xmpmeta xmlns:x='adobe:ns:meta/'><a b='At-1' xmpMM:InstanceID='Id-1'>Xmp-1</a></x:xmpmeta>"

/* A stretch that is neither text nor small. */
#define ODD7 "\1\2\3\4\5\6\7"
#define ODD ODD7 ODD7 ODD7 ODD7 ODD7 ODD7 ODD7 ODD7 ODD7 ODD7
#define JPEG_FRAME "\xff\xc0\0\x0b\b\0\b\0\b\1\1\x11\0\xff\xda\0\b\1\1\0\0\x3f\0"

/* Policies ask for the type by what the bytes are. */
static void test_types_of_pictures(void)
{
	static const struct {
		const char *bytes;
		gsize len;
		const char *want;
	} rows[] = {{BYTES(PNG), "image/png"}, {BYTES(JPEG), "image/jpeg"}, {BYTES(GIF), "image/gif"},
		{BYTES("\0\0\0\x0c" "ftypheic\0\0\0\x08mdat"), "image/heic"},
		{BYTES("\0\0\0\x0c" "ftypisom\0\0\0\x08mdat"), "video/mp4"}};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
		g_autoptr(GByteArray) bytes = g_byte_array_append(g_byte_array_new(),
			(const guint8 *)rows[i].bytes, (guint)rows[i].len);
		Got got = read_document(bytes);
		g_assert_cmpstr(got.type, ==, rows[i].want);
		got_free(&got);
	}
}

static void test_pictures(void)
{
	static const Row rows[] = {
		{"PNG tEXt", "", BYTES(PNG_HEAD CHUNK("\x0a", "tEXt", "k\0Words-12") PNG_TAIL),
			"Words-12", "image"},
		{"PNG zTXt", "",
			BYTES(PNG_HEAD CHUNK("\x13", "zTXt",
				"k\0\0\x78\x9c\x0b\xcf\x2f\x4a\x29\xd6\x35\x34\x02\x00\x0d\x50\x02\xa0")
					PNG_TAIL),
			"Words-12", "image"},
		{"PNG iTXt", "",
			BYTES(PNG_HEAD CHUNK("\x10", "iTXt", "k\0\0\0de\0\0Words-12") PNG_TAIL),
			"Words-12", "image"},
		{"PNG with text behind", "", BYTES(PNG "Words-12\n"), "Words-12", "image"},
		{"PNG with a picture behind", "", BYTES(PNG GIF), "", "image image"},
		{"PNG with few bytes behind", "", BYTES(PNG "\1\2Words-12\5\6\7"), "Words-12",
			"image"},
		{"PNG with many bytes behind", "", BYTES(PNG ODD "\1"), "", "image no-reader"},
		{"PNG with zeros behind", "", BYTES(PNG "\0\0\0\0"), "", "image"},
		{"PNG with a large unknown chunk", "",
			BYTES(PNG_HEAD CHUNK("\x50", "prVt",
				"\1\2\3\4\5\6\7\1\2\3\4\5\6\7\1\2\1\2\3\4\5\6\7\1\2\3\4\5\6\7\1\2\1\2\3\4\5\6\7\1\2\3\4\5\6\7\1\2"
				"\1\2\3\4\5\6\7\1\2\3\4\5\6\7\1\2\1\2\3\4\5\6\7\1\2\3\4\5\6\7\1\2")
					PNG_TAIL),
			"", "image no-reader"},
		{"PNG with a small unknown chunk", "",
			BYTES(PNG_HEAD CHUNK("\x08", "prVt", "Words-12") PNG_TAIL), "] Words-12\n",
			"image"},
		{"PNG that only begins", "image/png", BYTES(PNG_HEAD), "", "image"},
		{"PNG cut off", "image/png", BYTES(PNG_HEAD "\0\0\1\0tEXtWords-12" ODD), "",
			"damaged"},
		{"PNG cut off in its pixels", "", BYTES(PNG_HEAD "\0\1\0\0IDAT" ODD), "", "image"},
		{"PNG whose pixels are text", "image/png",
			BYTES(PNG_HEAD
				"\0\1\0CIDAT C-10002 and 64 letters that are text, as no pixels are, and more"),
			"", "damaged"},
		{"JPEG COM", "", BYTES(JPEG_HEAD "\xff\xfe\0\x0aWords-12" JPEG_TAIL), "Words-12",
			"image"},
		{"JPEG EXIF", "",
			BYTES(JPEG_HEAD "\xff\xe1\0\x10"
					"Exif\0\0Words-12" JPEG_TAIL),
			"Words-12", "image"},
		{"JPEG EXIF in UTF-16", "",
			BYTES(JPEG_HEAD "\xff\xe1\0\x1a"
					"Exif\0\0\1\0W\0o\0r\0d\0s\0-\0001\0002\0" JPEG_TAIL),
			"Words-12", "image"},
		{"JPEG EXIF of a comment in UTF-16", "",
			BYTES(JPEG_HEAD "\xff\xe1\0\x20"
					"Exif\0\0UNICODE\0W\0o\0r\0d\0s\0-\0001\0002\0" JPEG_TAIL),
			"\nWords-12\n", "image"},
		{"JPEG EXIF of a comment in UTF-16, big-endian", "",
			BYTES(JPEG_HEAD "\xff\xe1\0\x20"
					"Exif\0\0UNICODE\0\0W\0o\0r\0d\0s\0-\0001\0002" JPEG_TAIL),
			"\nWords-12\n", "image"},
		{"JPEG EXIF among high bytes", "",
			BYTES(JPEG_HEAD "\xff\xe1\0\x12"
					"Exif\0\0\xaeWords-12\xe9" JPEG_TAIL),
			"\nWords-12\n", "image"},
		{"JPEG XMP", "", BYTES(JPEG_HEAD "\xff\xe1\0\x5f" XMP JPEG_TAIL), "Xmp-1|At-1",
			"image"},
		{"JPEG with text behind", "", BYTES(JPEG "Words-12\n"), "Words-12", "image"},
		{"JPEG that only begins", "image/jpeg", BYTES("\xff\xd8\xff\xe0\0\x10Words-12\1\2"),
			"Words-12", "image"},
		{"JPEG without end", "image/jpeg", BYTES(JPEG_HEAD "\xff\xe1\1\0" ODD), "",
			"damaged"},
		{"JPEG cut off in its pixels", "", BYTES(JPEG_HEAD JPEG_FRAME ODD), "", "image"},
		{"JPEG whose pixels are text", "image/jpeg",
			BYTES(JPEG_HEAD JPEG_FRAME
				"C-10002 and 64 letters that are text, as no pixels are, and more"),
			"", "damaged"},
		{"JPEG of Samsung", "",
			BYTES(JPEG "\0\0\1\x0a\x0e\0\0\0Image_UTC_DataWords-12" ODD
				   "SEFH\x6a\0\0\0SEFT"),
			"Words-12", "image"},
		{"JPEG with an archive behind bytes", "",
			BYTES(JPEG "\1\2" ODD "7z\xbc\xaf\x27\x1c\0\4"), "", "image no-reader"},
		{"JPEG with a film behind", "",
			BYTES(JPEG "\1\2\3\0\0\0\x10"
				   "ftypisom\0\0\0\0\0\0\0\x10moovWords-12\0\0\0\x09mdatx"),
			"Words-12", "image image"},
		{"JPEG with a film right behind", "",
			BYTES(JPEG "\0\0\0\x10"
				   "ftypisom\0\0\0\0\0\0\0\x10moovWords-12\0\0\0\x09mdatx"),
			"Words-12", "image image"},
		{"GIF comment", "", BYTES(GIF_HEAD "!\xfe\x05Words\x03-12\0" GIF_TAIL), "Words-12",
			"image"},
		{"GIF plain text", "", BYTES(GIF_HEAD "!\1\x0c            \x08Words-12\0" GIF_TAIL),
			"Words-12", "image"},
		{"GIF application", "", BYTES(GIF_HEAD "!\xff\x0bNETSCAPE2.0\3\1\0\0\0" GIF_TAIL),
			"", "image"},
		{"GIF of fourteen bytes", "", BYTES("GIF89a\1\0\1\0\0\0\0,"), "", "image"},
		{"GIF that only begins", "image/gif", BYTES("GIF89a\1\0\1\0\x80\0\0\0\0\0"), "",
			"image"},
		{"GIF cut off in its pixels", "", BYTES(GIF_HEAD ",\0\0\0\0\1\0\1\0\0\2\xf0" ODD),
			"", "image"},
		{"GIF with text behind", "", BYTES(GIF "Words-12\n"), "Words-12", "image"},
		{"TIFF", "",
			BYTES("II*\0\x08\0\0\0\2\0\0\1\3\0\1\0\0\0\1\0\0\0\x0e\1\2\0\x0a\0\0\0\x26\0\0\0\0\0\0\0Words-12\0\0"),
			"Words-12", "image"},
		{"BMP", "",
			BYTES("BM\x3a\0\0\0\0\0\0\0\x36\0\0\0\x28\0\0\0\1\0\0\0\1\0\0\0\1\0\x18\0\0\0\0\0\4\0\0\0\0\0\0\0\0\0\0\0"
			      "\0\0\0\0\0\0\0\0abc\0"
			      "Words-12\n"),
			"Words-12", "image"},
		{"WebP", "", BYTES("RIFF\x1e\0\0\0WEBPVP8L\2\0\0\0\1\2XMP \x08\0\0\0Words-12"),
			"Words-12", "image"},
		{"WAV", "", BYTES("RIFF\x22\0\0\0WAVELIST\x0c\0\0\0INFOWords-12data\x02\0\0\0\1\2"),
			"Words-12", "image"},
		{"MP4", "",
			BYTES("\0\0\0\x10"
			      "ftypisom\0\0\0\0\0\0\0\x10moovWords-12\0\0\0\x09mdatx"),
			"Words-12", "image"},
		{"HEIC", "",
			BYTES("\0\0\0\x10"
			      "ftypheic\0\0\0\0\0\0\0\x09metax\0\0\0\x1amdat\1\2\3\4Exif\0\0Words-12"),
			"Words-12", "image"},
		{"MP4 whose name is in a box", "",
			BYTES("\0\0\0\x10"
			      "ftypisom\0\0\0\0\0\0\0\x18moov\0\0\0\x10nameWords-12\0\0\0\x09mdatx"),
			"\nWords-12\n", "image"},
		{"JPEG XL", "image/jxl",
			BYTES("\0\0\0\x0cJXL \r\n\x87\n\0\0\0\x10xml Words-12\0\0\0\x0ajxlc\xff\x0a"),
			"Words-12", "image"},
		{"icons of a Mac", "",
			BYTES("icns\0\0\0\x24name\0\0\0\x10Words-12is32\0\0\0\x0c\1\2\3\4"),
			"Words-12", "image"},
		{"Netpbm", "", BYTES("P6\n# Words-12\n1 1 255\n\1\2\3"), "Words-12", "image"},
		{"Netpbm whose pixels are text", "image/x-portable-pixmap",
			BYTES("P5 20 4 255\nC-10002, of which no pixel has a colour but those of letters"
			      " or commas, and more"),
			"C-10002", ""},
		{"text of P5", "", "P5 1 C-10002\n", -1, "C-10002", ""},
		{"film with subtitles", "",
			BYTES("\0\0\0\x10"
			      "ftypisom\0\0\0\0\0\0\0\x21moovhdlr\0\0\0\0\0\0\0\0sbtlabcdefghi"),
			"", "no-reader image"},
	};
	run(rows, G_N_ELEMENTS(rows));
}

/* ---- sound and film -------------------------------------------------------------------- */

#define ASF_GUID(first) first "\x8e\x66\xcf\x11\xa6\xd9\0\xaa\0\x62\xce\x6c"
#define PACK "\0\0\1\xba\x21\1\2\3\4\5\6\7\0\0\1\xc0\0\x0a\1\2\3\4\5\6\7\x08\1\2"
#define EBML "\x1a\x45\xdf\xa3\x84\x42\x82\x81w"
#define FRAME7 "\x3c\1\2\3\4\5\6\7\1\2\3\4\5\6\7\1\2\3\4\5\6\7\1\2\3\4\5\6\7\1\2\3"
#define ADTS_FRAME "\xff\xf1\x50\x80\1\x5f\xfc\1\2\3"

static void test_sound(void)
{
	/* Of a broadcast: 188 bytes each, three of them. */
	g_autoptr(GByteArray) broadcast = g_byte_array_new();
	for (int i = 0; i < 3; i++) {
		guint8 packet[188] = {'G', 0x40, i == 0 ? 0x11 : 0xff, 0x10};
		memcpy(packet + 100, "Words-12", 8);
		g_byte_array_append(broadcast, packet, sizeof packet);
	}
	const Row packets[] = {
		{"broadcast", "text/vnd.trolltech.linguist", (const char *)broadcast->data,
			(gssize)broadcast->len, "Words-12", "image"},
		{"broadcast of two packets", "", (const char *)broadcast->data,
			(gssize)broadcast->len - 188, "", "no-reader"},
	};
	run(packets, G_N_ELEMENTS(packets));
	static const Row rows[] = {
		{"AMR", "audio/amr", BYTES("#!AMR\n" FRAME7 FRAME7 "\x7c"), "", "image"},
		{"AMR-WB", "", BYTES("#!AMR-WB\n\x04" ODD7 ODD7 "\1\2\3\x7c\x7c"), "", "image"},
		{"AMR of a wrong frame", "audio/amr", BYTES("#!AMR\n" FRAME7 "\x6c" FRAME7), "",
			"damaged"},
		{"text of AMR", "audio/amr", "#!AMR\nC-10002 and more\n", -1, "C-10002", ""},
		{"text in frames of AMR", "audio/amr", "#!AMR\n<C-10002 and more of a ...\n", -1,
			"C-10002", ""},
		{"MIDI", "audio/midi",
			BYTES("MThd\0\0\0\6\0\0\0\1\0\x60MTrk\0\0\0\x0c\0\xff\1\x08Words-12"),
			"Words-12", "image"},
		{"FLV", "",
			BYTES("FLV\1\5\0\0\0\x09\0\0\0\0\x12\0\0\x08\0\0\0\0\0\0\0Words-12\0\0\0\x13"
			      "\x09\0\0\2\0\0\0\0\0\0\0\1\2\0\0\0\x0d"),
			"Words-12", "image"},
		{"text of FLV", "", "FLV\n1;C-10002\n", -1, "C-10002", ""},
		{"MPEG packs", "video/mpeg", BYTES(PACK PACK PACK "\0\0\1\xb9"), "", "image"},
		{"MPEG packs with text behind", "", BYTES(PACK PACK PACK "Words-12 and more\n"),
			"Words-12", "image"},
		{"MPEG of one pack", "video/mpeg", BYTES(PACK ODD), "", "damaged"},
		{"AAC", "audio/aac", BYTES(ADTS_FRAME ADTS_FRAME ADTS_FRAME), "", "image"},
		{"AAC with text behind", "", BYTES(ADTS_FRAME ADTS_FRAME ADTS_FRAME "Words-12\n"),
			"Words-12", "image"},
		{"AAC of one frame", "audio/aac", BYTES(ADTS_FRAME ODD), "", "damaged"},
		{"AIFF", "",
			BYTES("FORM\0\0\0\x26"
			      "AIFFNAME\0\0\0\x08Words-12SSND\0\0\0\x09\1\2\3\4\1\2\3\4\5\0"),
			"Words-12", "image"},
		{"AIFF with an unknown chunk", "",
			BYTES("FORM\0\0\0\x66"
			      "AIFFAPPL\0\0\0\x4e" ODD "\1\2\3\4\5\6\7\x08SSND\0\0\0\4\1\2\3\4"),
			"", "image no-reader"},
		{"IFF of text", "",
			BYTES("FORM\0\0\0\x14"
			      "FTXTCHRS\0\0\0\x08"
			      "C-100\0\0\1"),
			"", "no-reader"},
		{"text of FORM", "", "FORM 27B AIFF C-10002\n", -1, "C-10002", ""},
		{"CAF", "",
			BYTES("caff\0\1\0\0info\0\0\0\0\0\0\0\x08Words-12data\xff\xff\xff\xff\xff\xff\xff\xff" ODD),
			"Words-12", "image"},
		{"AU", "audio/basic",
			BYTES(".snd\0\0\0\x20\0\0\0\x46\0\0\0\1\0\0\x1f\x40\0\0\0\1Words-12" ODD),
			"Words-12", "image"},
		{"AU of text", "audio/basic",
			BYTES(".snd\0\0\0\x18\0\0\0\x46\0\0\0\1\0\0\x1f\x40\0\0\0\1"
			      "C-10002 as samples, of which none is written with letters alone"),
			"", "damaged"},
		{"text of .snd", "", ".snd files and C-10002\n", -1, "C-10002", ""},
		{"WMA", "",
			BYTES(ASF_GUID("\x30\x26\xb2\x75") "\x20\0\0\0\0\0\0\0Words-12" ASF_GUID(
				"\x36\x26\xb2\x75") "\x20\0\0\0\0\0\0\0\1\2\3\4\5\6\7\x08"),
			"Words-12", "image"},
		{"WMA of an unknown object", "",
			BYTES(ASF_GUID("\x30\x26\xb2\x75") "\x18\0\0\0\0\0\0\0" ASF_GUID(
				"\x37\x26\xb2\x75") "\x5e\0\0\0\0\0\0\0" ODD
					ASF_GUID("\x36\x26\xb2\x75") "\x18\0\0\0\0\0\0\0"),
			"", "image no-reader"},
		{"WebM", "video/webm",
			BYTES(EBML "\x18\x53\x80\x67\xa0\x15\x49\xa9\x66\x8bM\x80\x88Words-12"
				   "\x16\x54\xae\x6b\x83\x86\x81V\x1f\x43\xb6\x75\x84\xe7\x81\0\0"),
			"Words-12", "image"},
		{"WebM of a browser", "",
			BYTES(EBML
				"\x18\x53\x80\x67\1\xff\xff\xff\xff\xff\xff\xff"
				"\x16\x54\xae\x6b\x83\x86\x81V\x1f\x43\xb6\x75\1\xff\xff\xff\xff\xff\xff\xff"
				"\xe7\x81\0\xa3\x84\x81\0\0\x80"),
			"", "image"},
		{"Matroska with subtitles", "",
			BYTES(EBML "\x18\x53\x80\x67\x9b\x16\x54\xae\x6b\x8d\x86\x8bS_TEXT/UTF8"
				   "\x1f\x43\xb6\x75\x84\xe7\x81\0\0"),
			"", "no-reader image"},
		{"Matroska with an attachment", "",
			BYTES(EBML
				"\x18\x53\x80\x67\xf0\x16\x54\xae\x6b\x83\x86\x81V\x19\x41\xa4\x69\xc6" ODD
				"\x1f\x43\xb6\x75\x84\xe7\x81\0\0"),
			"", "image no-reader"},
		{"Matroska without film", "", BYTES(EBML "\x18\x53\x80\x67\x80" ODD), "",
			"no-reader"},
	};
	run(rows, G_N_ELEMENTS(rows));
}

/* ---- fonts ----------------------------------------------------------------------------- */

static void big32(GByteArray *out, guint32 value)
{
	guint32 be = GUINT32_TO_BE(value);
	g_byte_array_append(out, (guint8 *)&be, 4);
}

static void literal(GByteArray *out, const char *text, gsize n)
{
	g_byte_array_append(out, (const guint8 *)text, (guint)n);
}

#define HEAD "\0\1\0\0\0\1\0\0\0\0\0\0\x5f\x0f\x3c\xf5"

/* One of "head" and of `tag`, which is packed if `packed` is (then it is a WOFF). */
static GByteArray *font_of(const char *tag, const char *table, gsize n, bool packed)
{
	GByteArray *out = g_byte_array_new();
	uLong size = compressBound(n);
	g_autofree guint8 *small = g_malloc(size);
	g_assert_cmpint(compress(small, &size, (const guint8 *)table, n), ==, Z_OK);
	guint32 rows = packed ? 44 : 12, at = rows + 2 * (packed ? 20 : 16);
	if (packed) {
		literal(out, "wOFF\0\1\0\0", 8);
		big32(out, at + 16 + (guint32)size);
		literal(out, "\0\2\0\0", 4);
		for (guint i = 0; i < 7; i++)
			big32(out, 0);
	} else {
		literal(out, "\0\1\0\0\0\2\0\x20\0\1\0\0", 12);
	}
	for (guint i = 0; i < 2; i++) {
		guint32 from = at + (i == 1 ? 16 : 0), whole = i == 1 ? (guint32)n : 16;
		literal(out, i == 1 ? tag : "head", 4);
		if (!packed)
			big32(out, 0);
		big32(out, from);
		big32(out, i == 1 && packed ? (guint32)size : whole);
		if (packed) {
			big32(out, whole);
			big32(out, 0);
		}
	}
	literal(out, HEAD, 16);
	literal(out, packed ? (const char *)small : table, packed ? size : n);
	return out;
}

#define NAMES "\0\0\0\1\0\x12\0\3\0\1\4\x09\0\1\0\x10\0\0\0W\0o\0r\0d\0s\0-\0001\0002" NO_WORDS
#define NO_WORDS \
	"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"

#define LONG_TEXT "Words-12 and more, for a table that is long enough to be none of those few bytes"

/* Takes both. */
static GByteArray *join_behind(GByteArray *head, GByteArray *tail)
{
	g_byte_array_append(head, tail->data, tail->len);
	g_byte_array_unref(tail);
	return head;
}

static void test_fonts(void)
{
	expect("name of a font", font_of("name", BYTES(NAMES), false), "Words-12", "");
	expect("name in a WOFF", font_of("name", BYTES(NAMES), true), "Words-12", "");
	expect("name of a font in one byte a letter",
		font_of("name", BYTES("\0\0\0\1Words-12"), false), "Words-12", "");
	expect("names of glyphs", font_of("post", BYTES("\0\2\0\0\x08Words-12"), false), "Words-12",
		"");
	expect("shapes", font_of("glyf", BYTES(ODD), false), "", "");
	expect("an unknown table", font_of("Priv", BYTES(ODD), false), "", "no-reader");
	expect("an unknown table with text", font_of("Priv", BYTES(LONG_TEXT), false), "Words-12",
		"");
	expect("an unknown table with text in a WOFF", font_of("Priv", BYTES(LONG_TEXT), true),
		"Words-12", "");
	expect("a small unknown table", font_of("Priv", BYTES("\1Words-12"), false), "Words-12",
		"");
	expect("drawings",
		font_of("SVG ",
			BYTES("\0\0\0\0\0\x0a\0\0\0\0\0\1\0\1\0\1\0\0\0\x0e\0\0\0\x39"
			      "<svg xmlns='x'><text>Wor<tspan>ds</tspan>-12</text></svg>"),
			false),
		"Words-12", "");
	expect("text behind a font",
		join_behind(font_of("glyf", BYTES(ODD), false), bytes_of("Words-12\n")), "Words-12",
		"");
	expect("bytes behind a font",
		join_behind(font_of("glyf", BYTES(ODD), false),
			g_byte_array_append(g_byte_array_new(), (const guint8 *)ODD "\1", 71)),
		"", "no-reader");
	expect("a PDF behind a font",
		join_behind(font_of("glyf", BYTES(ODD), false), make_pdf("Twofold-1", "", "", "")),
		"Twofold-1", "");
	expect("ZIP behind a font",
		join_behind(font_of("glyf", BYTES(ODD), false), ZIP({"a.txt", "Twofold-1", -1})),
		"Twofold-1", "");
	GByteArray *no = font_of("glyf", BYTES(ODD), false);
	no->data[12 + 32 + 12] = 0;
	expect("what begins as a font", no, "", "no-reader");
	expect("a PDF within a font",
		font_of("glyf",
			BYTES(ODD
				"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n"),
			false),
		"", "damaged");
	expect("text of OTTO",
		bytes_of("OTTO is a customer: C-10002, and this line is long enough to be one\n"),
		"C-10002", "");
	expect("a collection of nothing",
		bytes_of("ttcf: a text about fonts with C-10002 in it, long enough too"), "C-10002",
		"");
}

/* ---- drawings and pages -------------------------------------------------------------- */

static void emf_record(GByteArray *out, guint32 type, const void *data, gsize len)
{
	guint32 head[] = {
		GUINT32_TO_LE(type), GUINT32_TO_LE((guint32)(8 + ((len + 3) & ~(gsize)3)))};
	g_byte_array_append(out, (guint8 *)head, 8);
	g_byte_array_append(out, data, (guint)len);
	g_byte_array_append(out, (const guint8 *)"\0\0\0", (guint)((4 - len % 4) % 4));
}

/* ExtTextOutW of one piece. */
static void emf_text(GByteArray *out, gint32 x, gint32 y, const char *text, guint32 options)
{
	guint8 body[128] = "";
	guint32 fields[] = {(guint32)x, (guint32)y, (guint32)strlen(text), 76, options};
	for (gsize i = 0; i < 5; i++)
		fields[i] = GUINT32_TO_LE(fields[i]);
	memcpy(body + 28, fields, sizeof fields);
	for (gsize i = 0; text[i] != '\0'; i++)
		body[68 + 2 * i] = (guint8)text[i];
	emf_record(out, 84, body, 68 + 2 * strlen(text));
}

static GByteArray *emf(void)
{
	guint8 head[100] = "";
	memcpy(head + 32, " EMF", 4);
	GByteArray *out = g_byte_array_new();
	emf_record(out, 1, head, sizeof head);
	return out;
}

static GByteArray *emf_end(GByteArray *out)
{
	emf_record(out, 14, "\0\0\0\0\0\0\0\0\0\0\0\0", 12);
	return out;
}

static void test_drawings(void)
{
	GByteArray *words = emf();
	emf_text(words, 10, 20, "C", 0);
	emf_text(words, 20, 20, "7", 0);
	emf_text(words, 10, 50, "Second", 0);
	expect("EMF", emf_end(words), "C7\nSecond", "");
	GByteArray *glyphs = emf();
	emf_text(glyphs, 10, 20, "C", 0x10);
	expect("EMF with glyphs", emf_end(glyphs), "", "charset");
	expect("EMF without text", emf_end(emf()), "", "");
	expect("EMF with text behind",
		g_byte_array_append(emf_end(emf()), (const guint8 *)"Words-12\n", 9), "Words-12",
		"");
	static const Row rows[] = {
		{"WMF", "",
			BYTES("\1\0\x09\0\0\3\x18\0\0\0\0\0\x0a\0\0\0\0\0\x0a\0\0\0\x21\5\7\0C-10002\0\5\0\6\0"
			      "\3\0\0\0\0\0"),
			"C-10002", ""},
		{"WMF without text", "",
			BYTES("\1\0\x09\0\0\3\x0c\0\0\0\0\0\x0a\0\0\0\0\0\3\0\0\0\0\0"), "", ""},
		{"WMF cut off", "image/wmf",
			BYTES("\1\0\x09\0\0\3\x0c\0\0\0\0\0\x0a\0\0\0\0\0C-10002 and more text"),
			"C-10002", ""},
		{"XPS page", "",
			"<FixedPage xmlns='x'><Glyphs OriginX='0' UnicodeString='C'/><Glyphs OriginX='9' "
			"UnicodeString='7'/><Glyphs OriginX='0' OriginY='20' UnicodeString='{}Second' Name='N-1'/></FixedPage>",
			-1, "C7\nSecond|N-1", ""},
		{"XPS page of glyphs", "",
			"<FixedPage xmlns='x'><Glyphs Indices='38;20;12'/></FixedPage>", -1, "",
			"charset"},
	};
	run(rows, G_N_ELEMENTS(rows));
}

/* ---- what nothing reads ---------------------------------------------------------------- */

static void test_unreadable(void)
{
	static const Row rows[] = {
		{"PostScript", "", "%!PS-Adobe-3.0\n(C-100) show (02) show\n", -1, "(C-100)",
			"no-reader"},
		{"EPS by label", "image/x-eps", "%!PS-Adobe-3.0 EPSF-3.0\n(C-100) show\n", -1,
			"(C-100)", "no-reader"},
		{"PostScript behind a job", "", "\x1b%-12345X@PJL\n%!PS\n(C-100) show\n", -1,
			"(C-100)", "no-reader"},
		{"PCL", "",
			"\x1b"
			"E\x1b&l0O\x1b&a10CK-104\x1b&a20C82-77\x1b"
			"E",
			-1, "", "no-reader"},
		{"PCL within text", "text/plain", "Invoice K-10\x1b*p+10X482-77\n", -1, "Invoice",
			"no-reader"},
		{"HPGL", "", "IN;SP1;PU100,100;LBC-100\3;PA;LB02\3;\n", -1, "", "no-reader"},
		{"LaTeX", "", "% invoice\n\\documentclass{letter}\n\\begin{document}C-100{}02\n",
			-1, "C-100", "no-reader"},
		{"DXF", "image/vnd.dxf", "  0\r\nSECTION\r\n  2\r\nENTITIES\r\n", -1, "ENTITIES",
			"no-reader"},
		{"DjVu", "image/vnd.djvu", BYTES("AT&TFORM\0\0\0 DJVUINFO"), "", "no-reader"},
		{"PSD", "image/vnd.adobe.photoshop", BYTES("8BPS\0\1\0\0\0\0\0\0\0\1"), "",
			"no-reader"},
		{"OneNote", "",
			BYTES("\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d\xae\xb1\x53\x78\xd0\x29\x96\xd3"),
			"", "no-reader"},
		{"SQLite", "", BYTES("SQLite format 3\0\x10\0\1\1\0@  "), "", "no-reader"},
		{"Access", "", BYTES("\0\1\0\0Standard Jet DB\0\1\0\0\0"), "", "no-reader"},
		{"EBCDIC", "",
			"\xc3\xa4\xa2\xa3\x96\x94\x85\x99\x40\xc3\x60\xf1\xf0\xf0\xf0\xf2\x25\xc9\xc2\xc1\xd5\x40\xc6\xd9\xf1\xf4",
			-1, "C-10002", ""},
		{"EBCDIC, a record filled up with blanks", "",
			"\xd9\xc5\xc3\xc8\xd5\xe4\xd5\xc7\x40\xc3\x60\xf1\xf0\xf0\xf0\xf2" BLANKS "\x4b"
			BLANKS "\xc3\x60\xf1\xf0\xf0\xf0\xf3" BLANKS,
			-1, "C-10002|C-10003", ""},
		{"EBCDIC, hardly a word in a record", "",
			BLANKS BLANKS BLANKS "\xd5\xd9\x40\xc3\x60\xf1\xf0\xf0\xf0\xf2", -1, "C-10002", ""},
		{"twin: signs for letters, filled up", "", "\xb0\xb0\xb0\xb0 \xdf\xe4\xfc @@@@@@@@ C-10002 @@@@@@@@",
			-1, "C-10002", ""},
		{"ISO 2022 text", "text/plain", "\x1b$B%F%9%H\x1b(B C-10002\n", -1, "C-10002", ""},
		{"coloured text", "text/plain", "\x1b[31mC-10002\x1b[0m\n", -1, "C-10002", ""},
		{"text about LaTeX", "text/plain", "We use \\documentclass in C-10002\n", -1,
			"C-10002", ""},
		{"Windows-1252", "",
			"M\xfcller; Stra\xdf"
			"e 1; \xe4\xf6\xfc C-10002\n",
			-1, "C-10002", ""},
	};
	run(rows, G_N_ELEMENTS(rows));
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	ms_message_init();
	g_test_add_func("/type/beginnings", test_beginnings);
	g_test_add_func("/type/labels", test_labels);
	g_test_add_func("/type/polyglots", test_polyglots);
	g_test_add_func("/type/pictures", test_pictures);
	g_test_add_func("/type/pictures/types", test_types_of_pictures);
	g_test_add_func("/type/sound", test_sound);
	g_test_add_func("/type/fonts", test_fonts);
	g_test_add_func("/type/drawings", test_drawings);
	g_test_add_func("/type/unreadable", test_unreadable);
	return g_test_run();
}
