/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * new --table TABLE --as ROLE: a policy to begin with, on stdout. Offline.
 */
#include <string.h>

#include "cmd.h"

/* KIND=NAME, "interfaces=eth0". */
static int parse_attach(struct context *c, struct skeleton *s)
{
	const char *text = c->options.attach, *equals = text ? strchr(text, '=') : NULL;

	s->kind = kind_keys[0];
	if (!text)
		return 0;
	for (size_t i = 0; equals && i < FR_KINDS; i++)
		if (strlen(kind_keys[i]) == (size_t)(equals - text) &&
		    str_starts(text, kind_keys[i])) {
			s->kind = kind_keys[i];
			s->attach_to = equals + 1;
		}
	if (!s->attach_to || !*s->attach_to)
		return usage_error(c, "--attach interfaces=eth0, guests=tap0 or cgroups=/PATH",
				   "--attach takes KIND=NAME, not '%s'", text);
	if (s->attach_to[strspn(s->attach_to, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
					      "0123456789-._@:/")])
		return usage_error(c,
				   "for a pattern, edit the file and write the pattern in "
				   "quotes",
				   "'%s' is not a name to attach to", s->attach_to);
	return 0;
}

int cmd_new(struct context *c)
{
	const struct options *o = &c->options;
	struct skeleton skeleton = {0};
	const struct table_view *view;
	const struct role_view *role;

	if (!o->table || !o->as)
		return usage_error(c, "flowreeve new --table aws-datasync --as agent",
				   "new needs --table and --as");
	if (parse_attach(c, &skeleton))
		return EXIT_USAGE;
	if (o->name && !name_is_kebab(o->name))
		return usage_error(c, "small letters, digits, single hyphens",
				   "'%s' cannot be the name of a policy", o->name);
	if (table_view(o->table, &o->policy, &c->diags, &view))
		return EXIT_REJECTED;
	role = table_view_role(view, o->as, &c->diags);
	if (!role)
		return EXIT_REJECTED;
	skeleton.name = o->name ?: arena_printf(c->arena, "%s-%s", view->name, role->name);
	render_skeleton(&c->render, view, role, &skeleton);
	c->answered = true;
	return 0;
}
