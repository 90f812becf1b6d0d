/*
 * Mistakes in missent.conf, policies and kinds, as people make them: each message names the
 * place, the fault and what to do about it.
 */
#include "config.h"

#include <string.h>
#include <unistd.h>

#include "missent/answer.h"
#include "missent/directory.h"
#include "missent/kind.h"
#include "missent/policy.h"
#include "missent/reader.h"
#include "missent/settings.h"

#include "../test.h"
#include "milter/policy/policy_private.h"

typedef enum { SETTINGS, POLICY, KINDS, CSV } What;
#define HEAD "account,kind,value\n"
typedef struct {
	What what;
	const char *text, *place, *fault, *remedy;
} Mistake;

static const Mistake mistakes[] = {
	{SETTINGS, "mdoe = enforce\n", ":1:", "'mdoe'", "did you mean \"mode\""},
	{SETTINGS, "mode = enforced\n", ":1:", "\"enforced\"",
		"observe, enforce (did you mean \"enforce\"?)"},
	{SETTINGS, "mode = \"enforce\nhost = \"a\"\n", ":1:", "is not closed", "\" is missing"},
	{SETTINGS, "mode = 'enforce\n", ":1:", "is not closed", "' is missing"},
	{SETTINGS, "mode enforce\n", ":1:", "after mode", "= is missing"},
	{SETTINGS, "mode: enforce\n", ":1:", "not mode:", "write mode = value"},
	{SETTINGS, "mode =\n\nhost = \"a\"\n", ":1:", "mode has no value", "after its ="},
	{SETTINGS, "mode = enforce;\n", ":1:", "\"enforce;\"", "did you mean \"enforce\""},
	{SETTINGS, "mode = enforce, observe\n", ":1:", "comma", "only values of a list"},
	{SETTINGS, "mode = observe\n# later\nmode = enforce\n", ":3:", "mode stands here already",
		"at line 1"},
	{SETTINGS, "outgoing {\n local = yes\n}\noutgoing {\n authenticated = yes\n local = no\n}\n",
		":6:", "local stands here already", "at line 2"},
	{SETTINGS, "desk {\n host-name = x\n}\nguard {\n fan-out = 3\n}\nguard { fan-out = 30 }\n",
		":7:", "fan-out stands here already", "at line 5"},
	{SETTINGS, "outgoing {\n networks = {\"10.0.0.0/8\"\n \"10.1.0.0/8\"}\n}\n",
		":2:", "10.0.0.0/8", "comma is missing between"},
	{SETTINGS, "outgoing {\n networks = {\"10.0.0.0/8\"\n local = yes\n}\n", ":2:", "networks",
		"} is missing"},
	{SETTINGS, "outgoing {\n networks = {\"10.0.0.0/8\",, \"::1\"}\n}\n", ":2:", "networks",
		"a value is missing"},
	{SETTINGS, "outgoing {\n networks = {\"10.0.0.0/33\"}\n}\n", ":2: networks", "10.0.0.0/33",
		"such as 192.0.2.0/24"},
	{SETTINGS, "outgoing {\n networks = {\"10.0.0.0/8\"},\n local = yes\n}\n", ":2:", "comma",
		"none between settings"},
	{SETTINGS, "outgoing {\n sender-domains = {\"@example.com\"}\n}\n", ":2: sender-domains",
		"\"@example.com\"", "write \"example.com\""},
	{SETTINGS, "outgoing {\n sender-domains = {\"https://x.example\"}\n}\n", ":2:", "no domain",
		"write"},
	{SETTINGS, "outgoing {\n local = true\n}\n", ":2: local", "\"true\"", "one of no, yes"},
	{SETTINGS, "outgoing {\n local = yes\n", ":1:", "outgoing", "} is missing"},
	{SETTINGS, "outgoing {\n local = yes\nreader {\n ocr = yes\n}\n",
		":1:", "not closed before line 3", "} is missing"},
	{SETTINGS, "outgoing\n local = yes\n}\n", ":1:", "after outgoing", "= is missing"},
	{SETTINGS, "reader {\n ocr = yes\n}}\n", ":3:", "}", "closes nothing"},
	{SETTINGS, "reader {\n deadline = 20\n}\n", ":2: deadline", "\"20\"", "such as 500ms, 20s"},
	{SETTINGS, "reader {\n deadline = 20 s\n}\n", ":2:", "deadline", "in \"quotes\""},
	{SETTINGS, "reader {\n deadline = 10m\n}\n", ":2: deadline", "\"10m\"", "100ms to 2m"},
	{SETTINGS, "reader {\n max-memory = 1X\n}\n", ":2: max-memory", "\"1X\"", "such as 512K"},
	{SETTINGS, "reader {\n workers = 0\n}\n", ":2: workers", "\"0\"", "1 to 200"},
	{SETTINGS, "reader {\n workers = four\n}\n", ":2: workers", "\"four\"", "not a number"},
	{SETTINGS, "reader {\n mode = enforce\n}\n", ":2:", "'mode'", "outside of all blocks"},
	{SETTINGS, "sender-domains = {\"a.example\"}\n", ":1:", "'sender-domains'",
		"in the block outgoing { }"},
	{SETTINGS, "state-dir = var/lib\n", ":1: state-dir", "\"var/lib\"", "begins with /"},
	{SETTINGS, "socket = \"tcp:1\"\n", ":1: socket", "\"tcp:1\"", "write unix:/path"},
	{SETTINGS, "socket-mode = \"rw\"\n", ":1: socket-mode", "\"rw\"", "such as 0660"},
	{SETTINGS, "desk {\n submit = \"mx.example:25\"\n}\n", ":2: submit", "mx.example:25",
		"smtp://host:port"},
	{SETTINGS, "desk {\n submit = \"smtp://\"\n}\n", ":2: submit", "\"smtp://\"", "smtp://host:port"},
	{SETTINGS, "desk {\n submit = \"smtp://:25\"\n}\n", ":2: submit", "\"smtp://:25\"", "smtp://host:port"},
	{SETTINGS, "alerts {\n relay = \"smtp://mx:99999\"\n}\n", ":2: relay", "99999", "smtp://host:port"},
	{SETTINGS, "alerts {\n relay = \"smtp://mx:smtp\"\n}\n", ":2: relay", "mx:smtp", "smtp://host:port"},
	{SETTINGS, "canary {\n listeners = {\"smtp://127.0.0.1:0\"}\n}\n", ":2: listeners", "127.0.0.1:0",
		"smtp://127.0.0.1:25"},
	{SETTINGS, "desk {\n webhook-url = \"https:///missent\"\n}\n", ":2: webhook-url", "https:///missent",
		"https://host/path"},
	{SETTINGS, "review {\n url = \"https://\"\n}\n", ":2: url", "\"https://\"", "https://host/"},
	{SETTINGS, "review {\n listen = \"127.0.0.1:99999\"\n}\n", ":2: listen", "99999", "127.0.0.1:port"},
	{SETTINGS, "directory {\n redis = \"127.0.0.1:0\"\n}\n", ":2: redis", "127.0.0.1:0", "or host:port"},
	{SETTINGS, "directory {\n redis = \"127.0.0.1\"\n}\n", ":2: redis", "127.0.0.1",
		"or host:port"},
	{SETTINGS, "directory {\n redis = \"r1:6379 r2\"\n}\n", ":2: redis", "r1:6379 r2",
		"or host:port"},
	{SETTINGS, "directory {\n redis-sentinels = {\"r1:26379\", \"r2\"}\n}\n",
		":2: redis-sentinels", "\"r2\"", "or host:port"},
	{SETTINGS, "directory {\n redis-replica = \"/run/redis.sock\"\n}\n", ":2: redis-replica",
		"/run/redis.sock", "unix:/path"},
	{SETTINGS, "desk {\n notice-sender = yes\n}\n", ":1:", "notice-from",
		"need a sender's address"},
	{SETTINGS, "review {\n listen = \"8025\"\n}\n", ":2: listen", "\"8025\"", "127.0.0.1:port"},
	{SETTINGS, "host = \"\"\n", ":1: host", "is empty", "leave the key out"},
	{SETTINGS, "directory {\n house = \"\"\n}\n", ":2: house", "is empty", "leave the key out"},
	{SETTINGS, "host = \"mx\xff\"\n", ":1: host", "is not UTF-8", "UTF-8"},
	{SETTINGS, "mode = observe\n/*host = \"a\"\nsocket-mode = \"0600\"\n", ":2:", "not with /*",
		"begins with #"},
	{SETTINGS, "mode = observe\n// host = a\n", ":2:", "not with //", "begins with #"},
	{SETTINGS, "/* later {\n mode = observe\n} */\n", ":1:", "not with /*", "begins with #"},
	{POLICY, "policy \"invoices\" {\n}\ntest \"t\" {\n policy = \"invoces\"\n to = {\"a@b.example\"}\n"
		"text = \"x\"\n expect = hold\n}\n", ":3:", "there is no policy \"invoces\"",
		"did you mean \"invoices\""},
	{POLICY, "polciy \"a\" {\n}\n", ":1:", "'polciy'", "did you mean \"policy\""},
	{POLICY, "policy {\n kinds = {\"iban\"}\n}\n", ":1:", "missing title",
		"policy \"a title\" {"},
	{POLICY, "policy \"a\"\n kinds = {\"iban\"}\n}\n", ":1:", "policy \"a\"", "{ is missing"},
	{POLICY, "policy \"a\" {\n kinds = {\"iban\", \"vat-id}\n require = {\"iban\"}\n}\n",
		":2:", "is not closed", "\" is missing"},
	{POLICY, "policy \"a\" {\n kinds = {\"iban\"}\n\npolicy \"b\" {\n}\n",
		":1:", "policy \"a\"", "} is missing"},
	{POLICY, "policy \"a\" {\n}\n\npolicy \"a\" {\n}\n", ":4:", "duplicate title 'a'",
		"at line 1"},
	{POLICY, "policy \"a\" {\n kinds {\"iban\"}\n}\n", ":2:", "after kinds", "= is missing"},
	{POLICY, "policy \"a\" {\n kinds = {\"ibam\"}\n}\n", ":2:", "\"ibam\"",
		"did you mean \"iban\""},
	{POLICY, "policy \"a\" {\n kinds = {\"none\", \"iban\"}\n}\n", ":2:", "\"none\"",
		"stands alone"},
	{POLICY, "policy \"a\" {\n kinds = {\"iban\"}\n require = {\"vat-id\"}\n}\n",
		":3:", "\"vat-id\"", "add it to kinds"},
	{POLICY, "policy \"a\" {\n sender = {\"Billing <b@x.example>\"}\n}\n", ":2: sender",
		"Billing <b@x.example>", "write \"b@x.example\""},
	{POLICY, "policy \"a\" {\n sender = {\"a@x.example, b@x.example\"}\n}\n", ":2: sender",
		"a@x.example, b@x.example", "one an item"},
	{POLICY, "policy \"a\" {\n sender = {\"mailto:b@x.example\"}\n}\n", ":2: sender",
		"mailto:", "bare address"},
	{POLICY, "policy \"a\" {\n sender = {\"\"}\n}\n", ":2: sender", "no sender",
		"bare address"},
	{POLICY, "policy \"a\" {\n sender = {}\n}\n", ":2: sender = {}", "asks for nothing",
		"leave the key out"},
	{POLICY, "policy \"a\" {\n not-sender = {}\n}\n", ":2: not-sender = {}", "asks for nothing",
		"leave the key out"},
	{POLICY, "policy \"a\" {\n auth-user = {}\n}\n", ":2: auth-user = {}", "asks for nothing",
		"leave the key out"},
	{POLICY, "policy \"a\" {\n networks = {}\n}\n", ":2: networks = {}", "asks for nothing",
		"leave the key out"},
	{POLICY, "policy \"a\" {\n time = {}\n}\n", ":2: time = {}", "asks for nothing",
		"leave the key out"},
	{POLICY, "policy \"a\" {\n header = {}\n}\n", ":2: header = {}", "asks for nothing",
		"leave the key out"},
	{POLICY, "policy \"a\" {\n not-header = {}\n}\n", ":2: not-header = {}", "asks for nothing",
		"leave the key out"},
	{POLICY, "policy \"a\" {\n header-present = {}\n}\n", ":2: header-present = {}",
		"asks for nothing", "leave the key out"},
	{POLICY, "policy \"a\" {\n filter-header = {}\n}\n", ":2: filter-header = {}",
		"asks for nothing", "leave the key out"},
	{POLICY, "policy \"a\" {\n auth-results = {}\n}\n", ":2: auth-results = {}",
		"asks for nothing", "leave the key out"},
	{POLICY, "policy \"a\" {\n message-size = {}\n}\n", ":2: message-size = {}",
		"asks for nothing", "leave the key out"},
	{POLICY, "policy \"a\" {\n attachment = {}\n}\n", ":2: attachment = {}", "asks for nothing",
		"leave the key out"},
	{POLICY, "policy \"a\" {\n attachment-type = {}\n}\n", ":2: attachment-type = {}",
		"asks for nothing", "leave the key out"},
	{POLICY, "policy \"a\" {\n attachment-name = {}\n}\n", ":2: attachment-name = {}",
		"asks for nothing", "leave the key out"},
	{POLICY, "policy \"a\" {\n attachment-size = {}\n}\n", ":2: attachment-size = {}",
		"asks for nothing", "leave the key out"},
	{POLICY, "policy \"a\" {\n attachments = {}\n}\n", ":2: attachments = {}",
		"asks for nothing", "leave the key out"},
	{POLICY, "policy \"a\" {\n identifiers = {}\n}\n", ":2: identifiers = {}",
		"asks for nothing", "leave the key out"},
	{POLICY, "policy \"a\" {\n sender = {\n # a@x.example\n }\n}\n", ":2: sender = {}",
		"apply to all", "leave the key out"},
	{POLICY, "template \"a\" {\n sender = { }\n}\n", ":2: sender = {}", "apply to all",
		"leave the key out"},
	{POLICY, "policy \"a\" {\n believe-mismatch = {}\n}\n", ":2: believe-mismatch = {}",
		"any finding would count", "leave the key out"},
	{POLICY, "policy \"a\" {\n believe-unknown-identifier = {}\n}\n",
		":2: believe-unknown-identifier = {}", "any finding would count",
		"leave the key out"},
	{POLICY, "policy \"a\" {\n believe-proof = {}\n}\n", ":2: believe-proof = {}",
		"any finding would count", "leave the key out"},
	{POLICY, "policy \"a\" {\n require = {}\n}\n", ":2: require = {}",
		"what the policy inherits would hold", "leave the key out"},
	{POLICY, "policy \"a\" {\n tolerate = {}\n}\n", ":2: tolerate = {}",
		"what the policy inherits would hold", "leave the key out"},
	{POLICY, "policy \"a\" {\n authserv-id = {}\n}\n", ":2: authserv-id = {}",
		"what the policy inherits would hold", "leave the key out"},
	{POLICY, "policy \"a\" {\n kinds = {}\n}\n", ":2: kinds = {}", "all kinds",
		"write {\"none\"}"},
	{SETTINGS, "guard {\n customer-kinds = {}\n}\n", ":2: customer-kinds = {}", "the default",
		"leave it out"},
	{SETTINGS, "audit {\n checkpoints = {}\n}\n", ":2: checkpoints = {}", "the default",
		"leave it out"},
	{SETTINGS, "incident {\n clocks = {}\n}\n", ":2: clocks = {}", "the default",
		"leave it out"},
	{POLICY, "policy \"a\" {\n on-mismatch = holt\n}\n", ":2: on-mismatch", "\"holt\"",
		"did you mean \"hold\""},
	{POLICY, "policy \"a\" {\n on-mismatch = delay\n}\n", ":2: on-mismatch", "\"delay\"",
		"say for how long"},
	{POLICY, "policy \"a\" {\n on-mismatch = \"delay 30\"\n}\n", ":2:", "\"delay 30\"",
		"s, m, h or d"},
	{POLICY, "policy \"a\" {\n on-mismatch = \"delay 0m\"\n}\n", ":2:", "on-mismatch",
		"say for how long"},
	{POLICY, "policy \"a\" {\n on-mismatch = \"delay 8d\"\n}\n", ":2:", "on-mismatch",
		"at most 7d"},
	{POLICY, "policy \"a\" {\n on-mismatch = \"delay 99999999999999999999d\"\n}\n",
		":2:", "on-mismatch", "at most 7d"},
	{POLICY, "policy \"a\" {\n on-mismatch = \"delay 5m then\"\n}\n", ":2:", "on-mismatch",
		"then deliver"},
	{POLICY, "policy \"a\" {\n on-mismatch = \"delay 5m then reject\"\n}\n",
		":2:", "on-mismatch", "then deliver"},
	{POLICY, "policy \"a\" {\n on-mismatch = \"delay 5m then hold it\"\n}\n",
		":2:", "on-mismatch", "then deliver"},
	{POLICY, "policy \"a\" {\n on-directory-unavailable = \"delay 5m then deliver\"\n}\n",
		":2:", "on-directory-unavailable", "not delivered by the time alone"},
	{POLICY, "policy \"a\" {\n on-oversized = split\n}\n", ":2:", "on-oversized", "use hold"},
	{POLICY, "policy \"a\" {\n header = {\"Subject\"}\n}\n", ":2: header", "\"Subject\"",
		"'Name: pattern'"},
	{POLICY, "policy \"a\" {\n header = {\"Subject: (\"}\n}\n", ":2: header", "bad pattern",
		"missing closing parenthesis"},
	{POLICY, "policy \"a\" {\n tolerate = {\"pictures\"}\n}\n", ":2: tolerate", "\"pictures\"",
		"any of no-reader, image"},
	{POLICY, "policy \"a\" {\n networks = {\"10.0.0.1-9\"}\n}\n", ":2: networks", "10.0.0.1-9",
		"such as 192.0.2.0/24"},
	{POLICY, "policy \"a\" {\n max-recipients = -1\n}\n", ":2: max-recipients", "\"-1\"",
		"out of range (1 to "},
	{POLICY, "policy \"a\" {\n max-recipients = \"\"\n}\n", ":2: max-recipients", "empty",
		"leave the key out"},
	{POLICY, "policy \"a\" {\n max-recipients = many\n}\n", ":2: max-recipients", "\"many\"",
		"not a number"},
	{POLICY, "policy \"a\" {\n sender = {\"billing@\"}\n}\n", ":2: sender", "is no sender",
		"write the bare address"},
	{POLICY, "policy \"a\" {\n sender = {\"billing@.example.com\"}\n}\n", ":2: sender",
		"is no sender", "write the bare address"},
	{POLICY, "policy \"a\" {\n sender = {\"billing@example..com\"}\n}\n", ":2: sender",
		"is no sender", "write the bare address"},
	{POLICY, "policy \"a\" {\n sender = {\"billing@example.com.\"}\n}\n", ":2: sender",
		"is no sender", "write the bare address"},
	{POLICY, "policy \"a\" {\n sender = {\"/billing@.*/\"}\n}\n", ":2: sender", "is no sender",
		"write the bare address"},
	{POLICY, "policy \"a\" {\n sender = {\"billing@.*\"}\n}\n", ":2: sender", "is no sender",
		"write the bare address"},
	{POLICY, "policy \"a\" {\n sender = {\"^billing@example.com$\"}\n}\n", ":2: sender",
		"is no sender", "write the bare address"},
	{POLICY, "policy \"a\" {\n sender = {\"billing@example\\\\.com\"}\n}\n", ":2: sender",
		"is no sender", "write the bare address"},
	{POLICY,
		"policy \"a\" {\n sender = {\"billing@b*\xc3\xbc"
		"cher.example\"}\n}\n",
		":2: sender", "is no sender", "write the bare address"},
	{POLICY, "policy \"a\" {\n auth-user = {\"\"}\n}\n", ":2: auth-user", "fits nothing",
		"leave the key out"},
	{POLICY, "policy \"a\" {\n attachment = {\"\"}\n}\n", ":2: attachment", "fits nothing",
		"leave the key out"},
	{POLICY, "policy \"a\" {\n attachment-type = {\"\"}\n}\n", ":2: attachment-type",
		"fits nothing", "leave the key out"},
	{POLICY, "policy \"a\" {\n not-attachment-name = {\"\"}\n}\n", ":2: not-attachment-name",
		"fits nothing", "leave the key out"},
	{POLICY, "policy \"a\" {\n message-size = {\"5M\"}\n}\n", ":2: message-size",
		"\"5M\" is no range", "\"over 5M\""},
	{POLICY, "policy \"a\" {\n not-message-size = {\"5M\"}\n}\n", ":2: not-message-size",
		"\"5M\" is no range", "\"over 5M\""},
	{POLICY, "policy \"a\" {\n attachment-size = {\"5M\"}\n}\n", ":2: attachment-size",
		"\"5M\" is no range", "\"over 5M\""},
	{POLICY, "policy \"\" {\n}\n", ":1:", "the title of this policy is empty",
		"give it another"},
	{POLICY, "policy \"a\tb\" {\n}\n", ":1:", "control character", "give it another"},
	{POLICY, "policy \"a\" {\n believe-proof = {\"sure\"}\n}\n", ":2: believe-proof",
		"\"sure\"", "any of exact"},
	{SETTINGS, "directory {\n subaddress = none\n}\n", ":2: subaddress",
		"other than signs", "for none"},
	{SETTINGS, "directory {\n subaddress = \"plus\"\n}\n", ":2: subaddress",
		"other than signs", "for none"},
	{SETTINGS, "directory {\n subaddress = \"@\"\n}\n", ":2: subaddress",
		"other than signs", "for none"},
	{SETTINGS, "directory {\n subaddress = \"+ -\"\n}\n", ":2: subaddress",
		"other than signs", "for none"},
	{SETTINGS, "outgoing {\n sender-domains = {\"!example.com\"}\n}\n", ":2: sender-domains",
		"is no domain", "example.com"},
	{SETTINGS, "outgoing {\n sender-domains = {\".example.com\"}\n}\n", ":2: sender-domains",
		"is no domain", "example.com"},
	{SETTINGS, "desk {\n notice-from = \"a@b.example\"\n notice-to = {\"a@b.example, c@d.example\"}\n}\n", ":3: notice-to",
		"no bare address", "one an item"},
	{SETTINGS, "desk {\n notice-from = \"Desk <a@b.example>\"\n}\n", ":2: notice-from",
		"no bare address", "one an item"},
	{SETTINGS, "desk {\n notice-from = \"a@b.example\"\n digest-to = {\"root\", \"\"}\n}\n", ":3: digest-to",
		"no bare address", "one an item"},
	{SETTINGS, "alerts {\n mail-to = {\"a@\"}\n}\n", ":2: mail-to",
		"no bare address", "one an item"},
	{SETTINGS, "canary {\n recipient = \"<c@x.example>\"\n}\n", ":2: recipient",
		"no bare address", "one an item"},
	{KINDS, "kind \"a\" {\n patern = {\"x\"}\n}\n", ":2:", "'patern'",
		"did you mean \"pattern\""},
	{KINDS, "kind \"a\" {\n pattern = {\"(\"}\n}\n", ":2: pattern", "bad pattern",
		"missing closing parenthesis"},
	{KINDS, "kind \"b\" {\n pattern = {\"x\"}\n}\nkind \"a\" {\n}\n",
		":4:", "kind \"a\": pattern", "or set block = yes"},
	{KINDS, "kind \"a\" {\n pattern = {\"x\"}\n check = luhm\n}\n", ":3: check", "\"luhm\"",
		"did you mean \"luhn\""},
	{KINDS, "kind \"none\" {\n pattern = {\"x\"}\n}\n", ":1:", "\"none\" means something else",
		"another name"},
	{KINDS, "kind \"recipient\" {\n pattern = {\"x\"}\n}\n", ":1:", "\"recipient\"",
		"another name"},
	{KINDS, "kind \"receives-for\" {\n pattern = {\"x\"}\n}\n", ":1:", "\"receives-for\"",
		"another name"},
	{KINDS, "kind \"greeted-as\" {\n pattern = {\"x\"}\n}\n", ":1:", "\"greeted-as\"",
		"another name"},
	{KINDS, "kind \"A b\" {\n pattern = {\"x\"}\n}\n", ":1:", "\"A b\"", "lower-case letters"},
	{KINDS, "kind \"a\" {\n pattern = {\"x\"}\n fields = {\"BT48\"}\n}\n", ":3: fields",
		"\"BT48\"", "such as BT-48"},
	{KINDS, "kind \"a\" {\n labels = {\"x\"\n canonical = digits\n}\n", ":2:", "labels",
		"} is missing"},
	{POLICY, "policy \"a\" {\n kinds += {\"iban\"}\n}\n", ":2:",
		"+=", "write all of it"},
	{SETTINGS, "guard {\n customer-kinds += {\"contract-number\"}\n}\n", ":2:",
		"+=", "write all of it"},
	{POLICY, "policy \"a\" {\n header = {\"Subject: \\binvoice\\b\"}\n}\n", ":2:",
		"a backslash", "'single quotes'"},
	{POLICY, "policy \"a\" {\n header = {\"Subject: RE-\\d+\"}\n}\n", ":2:",
		"a backslash", "'single quotes'"},
	{POLICY, "policy \"a\" {\n auth-user = {\"anna\", \"CORP\\anna\"}\n}\n", ":2:",
		"a backslash", "'single quotes'"},
	{KINDS, "kind \"a\" {\n pattern = {\"AK\\.[0-9]{5}\"}\n}\n", ":2:",
		"a backslash", "'single quotes'"},
	{POLICY, "policy \"a\" {\n header = {'Subject: /invoice/'}\n}\n", ":2: header",
		"\"/invoice/\"", "without / around it"},
	{POLICY, "policy \"a\" {\n not-filter-header = {'X-Spam: /^yes/i'}\n}\n", ":2: not-filter-header",
		"\"/^yes/i\"", "without / around it"},
	{KINDS, "kind \"a\" {\n pattern = {'/AK-[0-9]{5}/'}\n}\n", ":2: pattern",
		"/AK-", "without / around it"},
	{POLICY, "policy \"a\" {\n sender = {\"x.example\", \"!y.example\"}\n}\n", ":2: sender",
		"a ! leaves nothing out", "not- before it"},
	{POLICY, "policy \"a\" {\n auth-user = {\"x.example\", \"!y.example\"}\n}\n", ":2: auth-user",
		"a ! leaves nothing out", "not- before it"},
	{POLICY, "policy \"a\" {\n header-present = {\"x.example\", \"!y.example\"}\n}\n", ":2: header-present",
		"a ! leaves nothing out", "not- before it"},
	{POLICY, "policy \"a\" {\n attachment-name = {\"x.example\", \"!y.example\"}\n}\n", ":2: attachment-name",
		"a ! leaves nothing out", "not- before it"},
	{POLICY, "policy \"a\" {\n header = {'!Subject: x'}\n}\n", ":2: header",
		"a ! leaves nothing out", "not- before it"},
	{POLICY, "policy \"a\" {\n header-present = {\"X-*\"}\n}\n", ":2: header-present",
		"\"X-*\" is not the name", "such as \"List-Id\""},
	{POLICY, "policy \"a\" {\n filter-header = {'X-?: y'}\n}\n", ":2: filter-header",
		"\"X-?\" is not the name", "such as \"List-Id\""},
	{POLICY, "policy \"a\" {\n auth-user = {\"  \"}\n}\n", ":2: auth-user",
		"fits nothing", "without blanks"},
	{POLICY, "policy \"a\" {\n not-auth-user = {\"anna \"}\n}\n", ":2: not-auth-user",
		"fits nothing", "without blanks"},
	{KINDS, "kind \"a\" {\n pattern = {\"x\"}\n fields = {\"BT-999\"}\n}\n", ":3: fields",
		"\"BT-999\"", "such as BT-48"},
	{KINDS, "kind \"a\" {\n pattern = {\"x\"}\n fields = {\"BG-048\"}\n}\n", ":3: fields",
		"\"BG-048\"", "such as BT-48"},
	{KINDS, "# nothing\n", "a.conf", "defines no kind", "kind"},
	{CSV, HEAD "A,customer-numbr,C-10001\n", "2: ", "\"customer-numbr\" is no kind",
		"is customer-number meant?"},
	{CSV, HEAD "A,recipent,a@b.example\n", "2: ", "\"recipent\"", "is recipient meant?"},
	{CSV, HEAD "A,customer-number,C-10001,C-10002\n", "2: ", "has 4 fields",
		"the heading has 3"},
	{CSV, HEAD "A,customer-number\n", "2: ", "has 2 fields", "the heading has 3"},
	{CSV,
		HEAD
		"A,recipient,x@y.example\nA,customer-number,\"C-10001\nB,recipient,a@b.example\n",
		"line 3", "a quote", "not closed"},
	{CSV, HEAD ",customer-number,C-10001\n", "2: ", "the account", "is empty"},
	{CSV, HEAD "A,recipient,a@b@c\n", "2: ", "the value", "more than one @"},
	{CSV, HEAD "A,iban,DE00\n", "2: ", "IBAN", "a country code, two check digits"},
	{CSV, HEAD "A,iban,DE88370400440532013000\n", "2: ", "check digits", "IBAN"},
	{CSV, HEAD "A,vat-id,DE1\n", "2: ", "VAT ID", "of its country"},
	{CSV, HEAD "A,billing-address,x\n", "2: ", "an address", "three words and a number"},
	{CSV, HEAD "A,customer-number,\"1,00E+05\"\n", "2: ", "exponent form",
		"export the column as text"},
	{CSV, HEAD "A,customer-number,=\"C-10001\"\n", "2: ", "a formula of a spreadsheet",
		"as text"},
	{CSV, HEAD "A,customer-number,'C-10001\n", "2: ", "an apostrophe", "export it without"},
	{CSV, HEAD "A,customer-number,#N/A\n", "2: ", "the error of a spreadsheet",
		"export the values"},
	{CSV, HEAD "A,customer-number,\n", "2: ", "the value", "too short"},
	{CSV, "Kundennr,Mail\nC-10001,a@b.example\n", "line 1", "Kundennr, Mail",
		"--map 'COLUMN=KIND,...'"},
	{CSV, "PK\3\4\24", "it is", "a spreadsheet", "export it as CSV"},
	{CSV, "\xd0\xcf\x11\xe0\xa1\xb1", "it is", "a spreadsheet of an old form",
		"export it as CSV"},
	{CSV, "\xef\xbb\xbf<!DOCTYPE html>\n<html>\n", "it is", "a web page", "export it as CSV"},
	{CSV, "<html><body>Please log in</body></html>\n", "it is", "a web page",
		"export it as CSV"},
	{CSV, "\x1f\x8b\x08", "it is", "packed", "unpack it"},
	{CSV, "%PDF-1.7\n", "it is", "a PDF", "export it as CSV"},
	{CSV, "<customers><c/></customers>\n", "it is", "XML", "export it as CSV"},
	{CSV, "[{\"account\":\"A\"}]\n", "is no kind", "no good line", "--map"},
	{CSV, "{\"account\":\"A\",\n\"kind\":\"iban\"", "line 2 of the JSON",
		"ends within an object, or is damaged", "nothing is loaded"},
	{CSV, "[{\"account\":\"A\",\"kind\":\"iban\",\"value\":{\"x\":1}}]\n", "line 1 of the JSON",
		"\"value\" is no text, number or list", "value.NAME"},
	{CSV, "+-----+\n| Nr  |\n+-----+\n", "it is", "a table that is drawn", "--batch"},
	{CSV, "", "no good line", "it is empty", "the mapping in use is unchanged"},
	{CSV, HEAD, "no good line", "a heading alone", "the mapping in use is unchanged"},
	{CSV, "Kundennr;Mail;USt-ID\nK1;a@k1.example;DE136695976\n", "line 1",
		"a line for each customer", "--map"},
	{CSV, "K1;a@k1.example;DE136695976\n", "no good line", "a line for each customer", "--map"},
	{CSV, "account;kind\nA;customer-number\n", "line 1", "2 columns", "account,kind,value"},
	{CSV, HEAD "A,customer-number,C-10001\nB,recipient,b@x.example\nB,nothing,1\n",
		"4: ", "\"nothing\"", "no kind of kinds.conf"},
};

static void on_bad(guint64 line, const char *why, void *user)
{
	g_string_append_printf(user, "%" G_GUINT64_FORMAT ": %s\n", line, why);
}

/* All that an import says of a file, a line each; NULL: nothing. */
static char *complaint_of_csv(const char *text, MsKinds *kinds)
{
	g_autofree char *dir = g_dir_make_tmp("missent-mistake-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(dir, "directory.db", NULL);
	const MsDirectorySettings settings = {.backend = MS_BACKEND_SQLITE,
		.sqlite = path,
		.house = "house",
		.tag_separators = "+"};
	g_autoptr(GError) error = NULL;
	g_autoptr(MsDirectory) directory = ms_directory_open(&settings, kinds, &error);
	g_assert_no_error(error);
	GString *said = g_string_new(NULL);
	MsImportOptions options = {
		.max_shrink = 1, .max_bad = 0, .dry_run = true, .bad = on_bad, .user = said};
	MsImportResult result;
	int fd = ms_memory_file("mistake");
	g_assert_true(write(fd, text, strlen(text)) == (ssize_t)strlen(text) &&
		lseek(fd, 0, SEEK_SET) == 0);
	if (!ms_directory_import(directory, fd, &options, &result, &error))
		g_string_append(said, error->message);
	close(fd);
	g_clear_pointer(&directory, ms_directory_free);
	g_autofree char *remove = g_strdup_printf("rm -r '%s'", dir);
	g_assert_true(g_spawn_command_line_sync(remove, NULL, NULL, NULL, NULL));
	return g_string_free(said, said->len == 0);
}

/* The message; NULL: it was taken. */
static char *complaint_of(const Mistake *mistake, MsKinds *kinds)
{
	g_autoptr(GError) error = NULL;
	if (mistake->what == CSV)
		return complaint_of_csv(mistake->text, kinds);
	g_autofree char *dir = g_dir_make_tmp("missent-mistake-XXXXXX", NULL);
	g_autofree char *path = g_build_filename(dir, "a.conf", NULL);
	if (mistake->what == SETTINGS) {
		g_assert_true(g_file_set_contents(path, mistake->text, -1, NULL));
		ms_settings_free(ms_settings_load(path, &error));
		g_unlink(path);
	} else if (mistake->what == POLICY) {
		ms_policies_free(
			ms_policies_parse("a.conf", mistake->text, kinds, MS_MODE_OBSERVE, &error));
	} else {
		MsKinds *got = ms_kinds_parse("a.conf", mistake->text, &error);
		if (got != NULL)
			ms_kinds_unref(got);
	}
	g_rmdir(dir);
	return error != NULL ? g_strdup(error->message) : NULL;
}

static void test_mistakes(void)
{
	g_autofree char *text = NULL;
	g_autofree char *path = g_build_filename(
		g_getenv("SOURCE"), "policies", "kinds.conf", NULL);
	g_assert_true(g_file_get_contents(path, &text, NULL, NULL));
	g_autoptr(MsKinds) kinds = ms_kinds_parse(path, text, NULL);
	g_assert_nonnull(kinds);
	for (gsize i = 0; i < G_N_ELEMENTS(mistakes); i++) {
		const Mistake *m = &mistakes[i];
		g_autofree char *said = complaint_of(m, kinds);
		if (said == NULL)
			g_error("taken: %s", m->text);
		if (strstr(said, m->place) == NULL || strstr(said, m->fault) == NULL ||
			strstr(said, m->remedy) == NULL)
			g_error("%s: got \"%s\", want \"%s\", \"%s\" and \"%s\" in it", m->text,
				said, m->place, m->fault, m->remedy);
	}
}

/* Each number of each row of every settings file: what is no number, and what is too large. */
static guint refuse_numbers(const char *block, const MsRow *rows, const MsRow *all)
{
	static const char *const texts[] = {"", "-1", "x", "1x", "1 000", "1,5", "1.5", "0x10", "-5%",
		"1 apple", "99999999999999999999", "-99999999999999999999", "9223372036854775807"};
	guint n = 0;
	for (const MsRow *row = rows; row->key != NULL; row++) {
		if (row->rows != NULL) {
			g_autofree char *titled = g_strconcat(row->key, " \"a\"", NULL);
			n += refuse_numbers(
				row->type == MS_ROW_SECTIONS ? titled : row->key, row->rows, all);
			continue;
		}
		if (row->type != MS_ROW_NUMBER && row->type != MS_ROW_SIZE &&
			row->type != MS_ROW_TIME && row->type != MS_ROW_SHARE)
			continue;
		n++;
		for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
			g_autofree char *text = block == NULL
				? g_strdup_printf("\n%s = '%s'\n", row->key, texts[i])
				: g_strdup_printf("%s {\n%s = '%s'\n}\n", block, row->key, texts[i]);
			g_autofree char *place = g_strdup_printf("a.conf:2: %s: ", row->key);
			g_autoptr(GError) error = NULL;
			g_autoptr(MsSection) root = ms_config_parse("a.conf", text, all, &error);
			if (root != NULL)
				g_error("taken: %s", text);
			if (!g_str_has_prefix(error->message, place) ||
				(strstr(error->message, "(such as ") == NULL &&
					strstr(error->message, "such as 20") == NULL &&
					strstr(error->message, "out of range (") == NULL))
				g_error("%s: got \"%s\"", text, error->message);
		}
	}
	return n;
}

static void test_numbers(void)
{
	g_assert_cmpuint(refuse_numbers(NULL, ms_settings_rows, ms_settings_rows), >=, 60);
	g_assert_cmpuint(refuse_numbers(NULL, ms_policy_rows, ms_policy_rows), >=, 16);
	g_assert_cmpuint(refuse_numbers(NULL, ms_kinds_rows(), ms_kinds_rows()), >=, 8);
}

/* What is right, and near to a mistake. */
static void test_right(void)
{
	static const char *const texts[] = {"outgoing {\n networks = {\"10.0.0.0/8\",}\n}\n",
		"outgoing {\n networks = {\"10.0.0.0/8\",\n\n\"::1\"}\n sender-domains = {}\n}\n",
		"outgoing { }\nreader { ocr = yes }\n", "outgoing\n{\n networks\n =\n {}\n}\n",
		"mode =\n enforce\n", "host = 'a\\'b'\nmode=enforce\n", "host = \"a \\\"b # c\"\n",
		"outgoing { networks = \"10.0.0.0/8\" }\n", "desk { submit-user = a\\b\n}\n",
		"# mode = x\nmode = observe # mode = y\n",
		"directory { subaddress = \"+-_.\" }\n", "directory { subaddress = \"\" }\n",
		"desk { notice-from = \"o'hara+x@b\303\274cher.example\"\n digest-to = {\"root\"} }\n"};
	for (gsize i = 0; i < G_N_ELEMENTS(texts); i++) {
		const Mistake none = {SETTINGS, texts[i], "", "", ""};
		g_autofree char *said = complaint_of(&none, NULL);
		g_assert_cmpstr(said, ==, NULL);
	}
}

int main(int argc, char **argv)
{
	g_test_init(&argc, &argv, NULL);
	g_test_add_func("/mistakes/each-says-where-what-and-how", test_mistakes);
	g_test_add_func("/mistakes/no-number", test_numbers);
	g_test_add_func("/mistakes/none", test_right);
	return g_test_run();
}
