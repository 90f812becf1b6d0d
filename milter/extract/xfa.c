/*
 * A form of a PDF in XML (XFA 3.3).  In come all of its packets as one document, which the reader
 * of any XML has read, too; out go the values of its fields with what stands before them on the
 * page: captions and tips, in the template, of values there or in the data of the same name.  What
 * is drawn and no field goes out as text, in its order.  In the worker's only thread.
 */
#include "config.h"

#include <string.h>

#include "missent/named.h"

#include "readers.h"
#include "xml.h"

#define MAX_LABEL 300   /* bytes */
#define MAX_FIELDS 20000

/* Where what is open was opened; 0: it is not. */
typedef struct {
	guint field, caption, tip, value, draw, datasets, data;
} Open;

typedef struct {
	MsNamedText *named;
	GHashTable *labels; /* of a field's name */
	GPtrArray *data;    /* names and values by turns */
	GString *drawn, *text, *caption, *tip;
	GPtrArray *values;  /* of the field */
	char *name;
	guint depth;
	bool leaf; /* nothing was opened in the element that was opened last */
	Open at;
} Form;

static void value(Form *form, const char *name, const char *text)
{
	ms_named_open(form->named, NULL);
	ms_named_value(form->named, name, text, strlen(text));
	ms_named_close(form->named);
}

/* By its label's words, and where these only are a part of it. */
static void label_value(Form *form, const char *label, const char *text)
{
	g_autofree char *both = g_strdup_printf("%s\n%s", label, text);
	if (*label == '\0')
		return;
	value(form, label, text);
	value(form, "text", both);
}

static void end_field(Form *form)
{
	const char *labels[] = {g_strstrip(form->caption->str), g_strstrip(form->tip->str)};
	for (guint i = 0; i < form->values->len; i++) {
		const char *text = form->values->pdata[i];
		if (form->name != NULL)
			value(form, form->name, text);
		for (guint k = 0; k < G_N_ELEMENTS(labels); k++)
			label_value(form, labels[k], text);
	}
	const char *label = *labels[0] != '\0' ? labels[0] : labels[1];
	if (form->name != NULL && *label != '\0' && g_hash_table_size(form->labels) < MAX_FIELDS)
		g_hash_table_insert(
			form->labels, g_steal_pointer(&form->name), g_strdup(label));
	g_clear_pointer(&form->name, g_free);
	g_ptr_array_set_size(form->values, 0);
	g_string_truncate(form->caption, 0);
	g_string_truncate(form->tip, 0);
}

static void start_in_field(Form *form, const char *name)
{
	if (strcmp(name, "caption") == 0)
		form->at.caption = form->depth;
	else if (strcmp(name, "toolTip") == 0 || strcmp(name, "speak") == 0)
		form->at.tip = form->depth;
	else if (form->at.caption == 0 && form->at.value == 0 &&
		(strcmp(name, "value") == 0 || strcmp(name, "items") == 0))
		form->at.value = form->depth;
}

static void start(void *user, const char *name, const char *const *attributes)
{
	Form *form = user;
	form->depth++;
	form->leaf = true;
	if (form->at.data > 0 || (form->at.value > 0 && form->depth == form->at.value + 1))
		g_string_truncate(form->text, 0);
	else if (form->at.datasets > 0 && strcmp(name, "data") == 0)
		form->at.data = form->depth;
	else if (form->at.field > 0)
		start_in_field(form, name);
	else if (strcmp(name, "datasets") == 0)
		form->at.datasets = form->depth;
	else if (strcmp(name, "draw") == 0)
		form->at.draw = form->depth;
	if (form->at.field == 0 && form->at.data == 0 && strcmp(name, "field") == 0) {
		form->at.field = form->depth;
		form->name = g_strdup(ms_xml_attribute(attributes, "name"));
	}
}

static void append(GString *out, const char *text, gsize len, gsize most)
{
	if (out->len < most)
		g_string_append_len(out, text, (gssize)len);
}

static void text(void *user, const char *bytes, gsize len)
{
	Form *form = user;
	if (form->at.draw > 0)
		append(form->drawn, bytes, len, G_MAXSIZE);
	else if (form->at.caption > 0)
		append(form->caption, bytes, len, MAX_LABEL);
	else if (form->at.tip > 0)
		append(form->tip, bytes, len, MAX_LABEL);
	else if (form->at.value > 0 || form->at.data > 0)
		append(form->text, bytes, len, G_MAXSIZE);
}

static void end_value(Form *form)
{
	char *taken = g_strstrip(g_strdup(form->text->str));
	if (*taken != '\0' && form->values->len < MAX_FIELDS)
		g_ptr_array_add(form->values, taken);
	else
		g_free(taken);
	g_string_truncate(form->text, 0);
}

static void end_data(Form *form, const char *name)
{
	if (!form->leaf || form->data->len >= 2 * MAX_FIELDS)
		return;
	g_ptr_array_add(form->data, g_strdup(name));
	g_ptr_array_add(form->data, g_strstrip(g_strdup(form->text->str)));
}

static void end(void *user, const char *name)
{
	Form *form = user;
	guint depth = form->depth--;
	guint *const all[] = {&form->at.field, &form->at.caption, &form->at.tip, &form->at.value,
		&form->at.draw, &form->at.datasets, &form->at.data};
	if (form->at.data > 0 && depth > form->at.data)
		end_data(form, name);
	else if (form->at.value > 0 && depth == form->at.value + 1)
		end_value(form);
	else if (depth == form->at.field)
		end_field(form);
	else if (depth == form->at.draw)
		g_string_append_c(form->drawn, '\n');
	for (guint i = 0; i < G_N_ELEMENTS(all); i++)
		if (*all[i] == depth)
			*all[i] = 0;
	form->leaf = false;
}

static void hand_over(Form *form, const MsExtraction *to, const char *where)
{
	for (guint i = 0; i + 1 < form->data->len; i += 2) {
		const char *label = g_hash_table_lookup(form->labels, form->data->pdata[i]);
		if (label != NULL)
			label_value(form, label, form->data->pdata[i + 1]);
	}
	ms_extract_named(to, where, form->named);
	ms_extract_span(to, where, form->drawn->str, form->drawn->len);
}

void ms_xfa_read(const MsExtraction *to, const MsDocument *document)
{
	static const MsXmlHandler handler = {start, end, text, NULL};
	Form form = {.named = ms_named_new(),
		.labels = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free),
		.data = g_ptr_array_new_with_free_func(g_free), .drawn = g_string_new(NULL),
		.text = g_string_new(NULL), .caption = g_string_new(NULL),
		.tip = g_string_new(NULL), .values = g_ptr_array_new_with_free_func(g_free)};
	/* Why it is not read to its end, whoever read all of it has told. */
	ms_xml_parse(document->data, document->len, to->budget, &handler, &form);
	hand_over(&form, to, document->where);
	ms_named_free(form.named);
	g_hash_table_unref(form.labels);
	g_ptr_array_unref(form.data);
	g_ptr_array_unref(form.values);
	for (guint i = 0; i < 4; i++)
		g_string_free((GString *const[]){form.drawn, form.text, form.caption, form.tip}[i],
			TRUE);
	g_free(form.name);
}
