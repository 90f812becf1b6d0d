/*
 * Sound and film but for those of RIFF and ISO boxes, which picture.c has.  In come bytes, out goes
 * whether they can be walked to their end, and to the walk's inventory what each stretch is.  In
 * the worker's only thread.
 *
 * What is only samples could be anything: where a header is soon imitated, what is text is none.
 */
#include "config.h"

#include <string.h>

#include "media.h"

/* ---- sound ------------------------------------------------------------------------------ */

/* Bytes of the MPEG audio frame at `at` (ISO/IEC 11172-3, 13818-3); 0: none is there. */
static gsize mpeg_frame(const MsWalk *w, gsize at)
{
	static const guint16 rates[2][3][15] = {
		{{0, 32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448},
			{0, 32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384},
			{0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320}},
		{{0, 32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256},
			{0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160},
			{0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160}},
	};
	static const guint32 samplings[] = {44100, 48000, 32000};
	const guint8 *p = w->data + at;
	if (w->len - at < 4 || p[0] != 0xff || (p[1] & 0xe0) != 0xe0)
		return 0;
	guint version = p[1] >> 3 & 3, layer = p[1] >> 1 & 3, rate = p[2] >> 4,
	      sampling = p[2] >> 2 & 3;
	if (version == 1 || layer == 0 || rate == 0 || rate == 15 || sampling == 3)
		return 0;
	bool low = version != 3;
	guint32 hertz = samplings[sampling] >> (version == 3 ? 0 : version == 2 ? 1 : 2);
	guint32 bits = rates[low][3 - layer][rate] * 1000u, pad = p[2] >> 1 & 1;
	if (layer == 3)
		return (12 * bits / hertz + pad) * 4;
	return (layer == 1 && low ? 72 : 144) * bits / hertz + pad;
}

bool ms_walk_mpeg(MsWalk *w)
{
	gsize from = w->at, n;
	guint frames = 0;
	while (w->at < w->len && (n = mpeg_frame(w, w->at)) > 0) {
		w->at += MIN(n, ms_walk_left(w)); /* the last one may be cut */
		frames++;
	}
	ms_walk_block(w, "MPEG frames", from, w->at, false);
	from = w->at;
	if (ms_walk_has(w, "TAG", 3) && ms_walk_left(w) >= 128) {
		w->at += 128;
		ms_walk_block(w, "ID3v1", from, w->at, true);
	}
	return frames >= 3;
}

bool ms_walk_id3(MsWalk *w)
{
	const guint8 *p = w->data;
	if (w->len < 20 || p[3] < 2 || p[3] > 4 || (p[5] & 0x0f) != 0 ||
		((p[6] | p[7] | p[8] | p[9]) & 0x80) != 0)
		return false;
	gsize n = 10 + ((gsize)p[6] << 21 | (gsize)p[7] << 14 | (gsize)p[8] << 7 | p[9]);
	if (!ms_walk_step(w, n))
		return false;
	ms_walk_block(w, "ID3v2", 0, n, true);
	while (ms_walk_left(w) > 0 && w->data[w->at] == 0)
		w->at++;
	return ms_walk_mpeg(w);
}

bool ms_walk_ogg(MsWalk *w)
{
	guint pages = 0;
	while (ms_walk_has(w, "OggS\0", 5) && ms_walk_left(w) >= 27) {
		gsize from = w->at, table = w->data[from + 26], n = 27 + table;
		if (ms_walk_left(w) < n)
			return false;
		for (gsize i = 0; i < table; i++)
			n += w->data[from + 27 + i];
		if (!ms_walk_step(w, n))
			return false;
		/* Titles and names stand at the beginning of a stream. */
		bool head = pages++ < 8;
		ms_walk_block(w, head ? "Ogg head" : "Ogg page", from, w->at, head);
	}
	return pages > 1;
}

bool ms_walk_flac(MsWalk *w)
{
	w->at = 4;
	ms_walk_block(w, "FLAC signature", 0, 4, false);
	for (bool last = false; !last;) {
		gsize from = w->at;
		if (ms_walk_left(w) < 4)
			return false;
		last = (w->data[from] & 0x80) != 0;
		if (!ms_walk_step(w, 4 + (ms_be32(w->data + from) & 0xffffff)))
			return false;
		ms_walk_block(w, "FLAC block", from, w->at, true);
	}
	if (ms_walk_left(w) < 2 || w->data[w->at] != 0xff || (w->data[w->at + 1] & 0xfc) != 0xf8)
		return false;
	ms_walk_block(w, "FLAC frames", w->at, w->len, false);
	w->at = w->len;
	return true;
}

/* Telephones' voice mail (RFC 4867, 5): the first byte of each frame says how long it is. */
bool ms_walk_amr(MsWalk *w)
{
	static const guint8 narrow[16] = {13, 14, 16, 18, 20, 21, 27, 32, 6, 0, 0, 0, 0, 0, 0, 1},
			    wide[16] = {18, 24, 33, 37, 41, 47, 51, 59, 61, 6, 0, 0, 0, 0, 1, 1};
	bool broad = ms_walk_has(w, "#!AMR-WB\n", 9);
	w->at = broad ? 9 : 6;
	ms_walk_block(w, "AMR signature", 0, w->at, false);
	gsize from = w->at;
	while (w->at < w->len) {
		guint8 first = w->data[w->at], n = (broad ? wide : narrow)[first >> 3 & 15];
		if ((first & 0x83) != 0 || n == 0)
			return false;
		w->at += MIN(n, ms_walk_left(w)); /* the last one may be cut */
	}
	ms_walk_block(w, "AMR frames", from, w->len, false);
	return w->at > from && !ms_is_text(w->data + from, w->len - from);
}

/* AAC as it is sent by radio (ISO/IEC 13818-7, 6.2). */
bool ms_walk_adts(MsWalk *w)
{
	guint frames = 0;
	while (ms_walk_left(w) >= 7) {
		const guint8 *p = w->data + w->at;
		gsize n = (gsize)(p[3] & 3) << 11 | (gsize)p[4] << 3 | p[5] >> 5;
		if (p[0] != 0xff || (p[1] & 0xf6) != 0xf0 || n < 7)
			break;
		w->at += MIN(n, ms_walk_left(w));
		frames++;
	}
	ms_walk_block(w, "ADTS frames", 0, w->at, false);
	return frames >= 3;
}

/* Blocks of four letters and a size of `wide` bytes, from `at` to `end`. */
static bool walk_chunks(MsWalk *w, gsize end, const char *form, guint wide)
{
	static const char *const speak[] = {"NAME", "AUTH", "(c) ", "ANNO", "COMT", "MARK", "COMM",
		"ID3 ", "info", "strg", "uuid", "midi", "desc", "chan", "MTrk", NULL};
	guint n_blocks = 0;
	while (w->at + 4 + wide <= end) {
		gsize from = w->at;
		guint64 n = wide == 4
			? ms_be32(w->data + from + 4)
			: (guint64)ms_be32(w->data + from + 4) << 32 | ms_be32(w->data + from + 8);
		gsize rest = end - from - 4 - wide;
		if (wide == 8 && n == G_MAXUINT64) /* to the end, as a recording has it */
			n = rest;
		if (n > rest)
			return false;
		n += wide == 4 && (n & 1) == 1 && n < rest;
		if (!ms_walk_step(w, 4 + wide + (gsize)n))
			return false;
		char type[5] = "";
		memcpy(type, w->data + from, 4);
		g_autofree char *name = g_strdup_printf("%s %s", form, type);
		ms_walk_block(w, name, from, w->at, g_strv_contains(speak, type));
		n_blocks++;
	}
	return n_blocks > 1;
}

/* Audio IFF 1.3. */
bool ms_walk_aiff(MsWalk *w)
{
	gsize end = w->len >= 12 ? 8 + (gsize)ms_be32(w->data + 4) : 0;
	if (end < 12 || end > w->len ||
		(memcmp(w->data + 8, "AIFF", 4) != 0 && memcmp(w->data + 8, "AIFC", 4) != 0))
		return false;
	w->at = 12;
	ms_walk_block(w, "AIFF header", 0, 12, false);
	return walk_chunks(w, end, "AIFF", 4);
}

/* Apple's Core Audio Format 1.0. */
bool ms_walk_caf(MsWalk *w)
{
	if (w->len < 8 || memcmp(w->data + 4, "\0\1\0\0", 4) != 0)
		return false;
	w->at = 8;
	ms_walk_block(w, "CAF header", 0, 8, false);
	return walk_chunks(w, w->len, "CAF", 8);
}

/* Notes, with the words that are sung to them (Standard MIDI Files 1.0). */
bool ms_walk_midi(MsWalk *w)
{
	return w->len > 14 && ms_be32(w->data + 4) == 6 && walk_chunks(w, w->len, "MIDI", 4);
}

/* Sun's and NeXT's: a header, words, samples to the end. */
bool ms_walk_au(MsWalk *w)
{
	if (w->len <= 28)
		return false;
	guint32 from = ms_be32(w->data + 4), form = ms_be32(w->data + 12),
		rate = ms_be32(w->data + 16), channels = ms_be32(w->data + 20);
	if (from < 24 || from >= w->len || form == 0 || form > 27 || rate < 1000 || rate > 384000 ||
		channels == 0 || channels > 8 || ms_is_text(w->data + from, w->len - from))
		return false;
	ms_walk_block(w, "AU header", 0, 24, false);
	ms_walk_block(w, "AU words", 24, from, true);
	ms_walk_block(w, "AU samples", from, w->len, false);
	w->at = w->len;
	return true;
}

/* ---- film ------------------------------------------------------------------------------- */

/* Windows Media (Advanced Systems Format 1.2, 2.1): objects with a name of sixteen bytes. */
bool ms_walk_asf(MsWalk *w)
{
	static const struct {
		guint8 guid[16];
		const char *name;
	} known[] = {{{0x30, 0x26, 0xb2, 0x75, 0x8e, 0x66, 0xcf, 0x11, 0xa6, 0xd9, 0, 0xaa, 0, 0x62,
			      0xce, 0x6c},
			     "ASF header"},
		{{0x36, 0x26, 0xb2, 0x75, 0x8e, 0x66, 0xcf, 0x11, 0xa6, 0xd9, 0, 0xaa, 0, 0x62,
			 0xce, 0x6c},
			"ASF data"},
		{{0x90, 0x08, 0, 0x33, 0xb1, 0xe5, 0xcf, 0x11, 0x89, 0xf4, 0, 0xa0, 0xc9, 0x03,
			 0x49, 0xcb},
			"ASF index"},
		{{0xd3, 0x29, 0xe2, 0xd6, 0xda, 0x35, 0xd1, 0x11, 0x90, 0x34, 0, 0xa0, 0xc9, 0x03,
			 0x49, 0xbe},
			"ASF index"}};
	bool data = false;
	while (ms_walk_left(w) >= 24) {
		gsize from = w->at;
		const char *name = "ASF object";
		for (gsize i = 0; i < G_N_ELEMENTS(known); i++)
			if (memcmp(w->data + from, known[i].guid, 16) == 0)
				name = known[i].name;
		gsize n = ms_le32(w->data + from + 16);
		if (n < 24 || ms_le32(w->data + from + 20) != 0 || !ms_walk_step(w, n))
			return false;
		ms_walk_block(w, name, from, w->at, strcmp(name, "ASF header") == 0);
		data |= strcmp(name, "ASF data") == 0;
	}
	return data;
}

/* A number of Matroska (RFC 8794, 4): how many bytes it has its first byte says.  0: it is none.
 * Of a name the mark of that stays, of a size it goes; one of all ones is not known. */
static guint ebml_number(const MsWalk *w, gsize at, bool name, guint64 *out, bool *unknown_out)
{
	if (at >= w->len || w->data[at] == 0)
		return 0;
	guint n = 1;
	while ((w->data[at] & 0x80 >> (n - 1)) == 0)
		n++;
	if (n > (name ? 4u : 8u) || w->len - at < n)
		return 0;
	guint64 value = name ? w->data[at] : w->data[at] & ((0x80u >> (n - 1)) - 1);
	for (guint i = 1; i < n; i++)
		value = value << 8 | w->data[at + i];
	*out = value;
	*unknown_out = !name && value == ((guint64)1 << 7 * n) - 1;
	return n;
}

/* A track of subtitles: the name of its codec begins with S_. */
static bool ebml_subtitles(const guint8 *data, gsize len)
{
	for (const guint8 *p = data, *end = data + len;
		(p = memmem(p, (gsize)(end - p), "S_", 2)) != NULL; p += 2)
		if (p - data > 2 && p[-2] == 0x86)
			return true;
	return false;
}

#define EBML_SEGMENT 0x18538067
#define EBML_CLUSTER 0x1f43b675
#define EBML_TRACKS 0x1654ae6b

static const char *ebml_name(guint64 id, bool *speaks_out)
{
	static const struct {
		guint32 id;
		const char *name;
		bool speaks;
	} rows[] = {{0x1a45dfa3, "EBML header", true}, {EBML_SEGMENT, "EBML segment", false},
		{0x114d9b74, "EBML seek", false}, {0x1549a966, "EBML info", true},
		{EBML_TRACKS, "EBML tracks", true}, {0x1043a770, "EBML chapters", true},
		{0x1254c367, "EBML tags", true}, {EBML_CLUSTER, "EBML cluster", false},
		{0x1c53bb6b, "EBML cues", false}, {0xec, "EBML void", false},
		{0xbf, "EBML sum", false}, {0xe7, "EBML block", false}, {0xa3, "EBML block", false},
		{0xa0, "EBML block", false}, {0xa7, "EBML block", false},
		{0xab, "EBML block", false}};
	for (gsize i = 0; i < G_N_ELEMENTS(rows); i++)
		if (rows[i].id == id) {
			*speaks_out = rows[i].speaks;
			return rows[i].name;
		}
	*speaks_out = false;
	return "EBML element";
}

/* Matroska and WebM (RFC 9559).  A browser that records does not know how long it will. */
bool ms_walk_matroska(MsWalk *w)
{
	bool tracks = false, film = false;
	while (ms_walk_left(w) > 1) {
		gsize from = w->at;
		guint64 id, size;
		bool unknown, speaks;
		guint name = ebml_number(w, from, true, &id, &unknown);
		guint width = name > 0 ? ebml_number(w, from + name, false, &size, &unknown) : 0;
		if (width == 0)
			break; /* behind the film something else begins: a gap */
		bool enter = id == EBML_SEGMENT || (id == EBML_CLUSTER && unknown);
		gsize head = name + width, rest = ms_walk_left(w) - head;
		if (!enter && (unknown || size > rest))
			break;
		if (!ms_walk_step(w, head + (enter ? 0 : (gsize)size)))
			return false;
		const char *what = ebml_name(id, &speaks);
		ms_walk_block(w, what, from, w->at, speaks);
		tracks |= id == EBML_TRACKS;
		film |= id == EBML_CLUSTER;
		if (w->inventory != NULL && id == EBML_TRACKS &&
			ebml_subtitles(w->data + from, w->at - from))
			ms_reading_unread(w->to->reading, w->document->where, MS_UNREAD_NO_READER,
				"a film with subtitles, which are not read");
	}
	return tracks && film;
}

/* Flash Video 10.1, annex E. */
bool ms_walk_flv(MsWalk *w)
{
	guint tags = 0;
	if (w->len < 13 || w->data[3] != 1 || ms_be32(w->data + 5) != 9)
		return false;
	w->at = 13;
	ms_walk_block(w, "FLV header", 0, 13, false);
	while (ms_walk_left(w) >= 15) {
		gsize from = w->at;
		guint8 type = w->data[from] & 0x1f;
		if ((type != 8 && type != 9 && type != 18) ||
			!ms_walk_step(w, 15 + (ms_be32(w->data + from) & 0xffffff)))
			return tags > 0;
		ms_walk_block(w, type == 18 ? "FLV words" : "FLV tag", from, w->at, type == 18);
		tags++;
	}
	return tags > 0;
}

/* Packets of a broadcast (ISO/IEC 13818-1, 2.4.3.2): 188 bytes, or 192 with the time before. */
static gsize packet_size(const guint8 *data, gsize len)
{
	for (gsize time = 0; time <= 4; time += 4)
		if (len > 2 * (188 + time) + time && data[time] == 'G' &&
			data[188 + 2 * time] == 'G' && data[2 * 188 + 3 * time] == 'G')
			return 188 + time;
	return 0;
}

bool ms_begins_as_broadcast(const guint8 *data, gsize len)
{
	return packet_size(data, len) > 0;
}

/* Tables of what is broadcast, with its names, are the streams of the lowest numbers. */
bool ms_walk_broadcast(MsWalk *w)
{
	gsize size = packet_size(w->data, w->len), time = size - 188, begin = 0;
	bool speaks = false;
	if (ms_is_text(w->data, w->len))
		return false;
	while (ms_walk_left(w) >= time + 4 && w->data[w->at + time] == 'G') {
		guint stream = ms_be16(w->data + w->at + time + 1) & 0x1fff;
		if ((stream < 0x20) != speaks) {
			ms_walk_block(w, speaks ? "TS tables" : "TS packets", begin, w->at, speaks);
			begin = w->at;
			speaks = !speaks;
		}
		w->at += MIN(size, ms_walk_left(w));
	}
	ms_walk_block(w, speaks ? "TS tables" : "TS packets", begin, w->at, speaks);
	return ms_walk_left(w) < size;
}

/* Packs of a DVD or an old camera (ISO/IEC 11172-1, 13818-1, 2.5): each has a code and a length. */
bool ms_walk_packs(MsWalk *w)
{
	guint packs = 0;
	while (ms_walk_has(w, "\0\0\1", 3) && ms_walk_left(w) >= 12) {
		const guint8 *p = w->data + w->at;
		gsize n = p[3] == 0xba ? ((p[4] & 0xc0) == 0x40 && ms_walk_left(w) > 13
						 ? 14u + (p[13] & 7u) : 12u)
			: p[3] >= 0xbb ? 6 + ms_be16(p + 4) : 0;
		if (n == 0)
			break;
		w->at += MIN(n, ms_walk_left(w)); /* the last one may be cut */
		packs++;
	}
	if (ms_walk_has(w, "\0\0\1\xb9", 4))
		w->at += 4;
	ms_walk_block(w, "MPEG packs", 0, w->at, false);
	return packs >= 3 && !ms_is_text(w->data, w->at);
}
