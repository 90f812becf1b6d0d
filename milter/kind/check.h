/* Checks on canonical values; each is a pure function of letters and digits. */
#ifndef MISSENT_KIND_CHECK_H
#define MISSENT_KIND_CHECK_H

#include <stdbool.h>

#include "missent/kind.h"

/* NULL if `value` is built as the check demands, or (static) what is wrong with it. */
const char *ms_check_value(MsCheck check, const char *value);
/* Do its check digits agree?  False also where it has none. */
bool ms_check_digits(MsCheck check, const char *value);

/* vat.c: of a value that is built as one. */
bool ms_check_vat_digits(const char *value);
/* tax.c: tax numbers that are no VAT IDs. */
const char *ms_check_tax(const char *value);
bool ms_check_tax_digits(const char *value);
/* "#" is a digit, "@" a letter, "*" either; all else is itself. */
bool check_has_shape(const char *value, const char *shape);
/* Without a letter that only says of what tax it is. */
void ms_tax_bare(char *value);
/* Nine digits with Luhn's sum. */
bool ms_check_siren(const char *digits);

#endif
