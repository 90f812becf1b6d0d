/*
 * domain.h - whose domain is it: one company's, or anybody's?
 *
 * WHAT    Providers at which anybody can have a mailbox (milter/directory/providers.txt), and
 *         public suffixes below which anybody can have a domain (the Public Suffix List, as
 *         libpsl has it).
 * OWNS    Nothing.
 * ERRORS  None: a domain that no list has is one company's.
 * THREADS Safe.
 * LIMITS  What the lists have.
 * NOT     Asks no network.
 */
#ifndef MISSENT_DOMAIN_H
#define MISSENT_DOMAIN_H

#include <stdbool.h>

/* Canonical: lower case, A-labels (kind.h). */
bool ms_domain_is_provider(const char *domain);
/* "com", "co.uk"; not a top-level domain that does not exist, such as "internal". */
bool ms_domain_is_suffix(const char *domain);
/* Each provider. */
void ms_domain_providers(void (*each)(const char *domain, void *user), void *user);

#endif
