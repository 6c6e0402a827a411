/* SPDX-License-Identifier: GPL-2.0-only */
/* ELF to instructions that can be run: see object.h. */
#include "object.h"

#include <elf.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../fuzz/native.h"
#include "../fuzz/require.h"

struct section {
	uint8_t *data; /* a copy that may be written */
	size_t at;     /* of code: its first instruction in the object's */
	const char *name;
};

struct object {
	uint8_t *file;
	const Elf64_Shdr *headers;
	struct section *sections;
	size_t section_count;
	const Elf64_Sym *symbols;
	size_t symbol_count;
	const char *names;     /* of symbols */
	struct bpf_insn *code; /* of all sections */
	size_t code_count;
};

static bool is_code(const Elf64_Shdr *header)
{
	return header->sh_type == SHT_PROGBITS && header->sh_flags & SHF_EXECINSTR;
}

static uint8_t *file_read(const char *path)
{
	FILE *file = fopen(path, "rb");
	uint8_t *data;
	long size;

	require(file && !fseek(file, 0, SEEK_END) && (size = ftell(file)) > 0, path);
	rewind(file);
	data = malloc((size_t)size);
	require(data && fread(data, 1, (size_t)size, file) == (size_t)size, path);
	fclose(file);
	return data;
}

static void sections_read(struct object *o)
{
	const Elf64_Ehdr *head = (const void *)o->file;

	require(!memcmp(head->e_ident, ELFMAG, SELFMAG) && head->e_machine == EM_BPF &&
			head->e_ident[EI_DATA] == ELFDATA2LSB,
		"an object of BPF programs, with this machine's order of bytes");
	o->headers = (const void *)(o->file + head->e_shoff);
	o->section_count = head->e_shnum;
	o->sections = calloc(o->section_count, sizeof(*o->sections));
	require(o->sections, "memory");
	for (size_t i = 0; i < o->section_count; i++) {
		struct section *section = &o->sections[i];

		section->data = o->file + o->headers[i].sh_offset;
		section->at = o->code_count;
		if (is_code(&o->headers[i]))
			o->code_count += o->headers[i].sh_size / sizeof(*o->code);
		if (o->headers[i].sh_type != SHT_SYMTAB)
			continue;
		o->symbols = (const void *)section->data;
		o->symbol_count = o->headers[i].sh_size / sizeof(*o->symbols);
		o->names = (const char *)o->file + o->headers[o->headers[i].sh_link].sh_offset;
	}
	for (size_t i = 0; i < o->section_count; i++)
		o->sections[i].name =
			(const char *)o->sections[head->e_shstrndx].data + o->headers[i].sh_name;
}

static void code_join(struct object *o)
{
	o->code = calloc(o->code_count, sizeof(*o->code));
	require(o->code, "memory");
	for (size_t i = 0; i < o->section_count; i++)
		if (is_code(&o->headers[i]))
			memcpy(o->code + o->sections[i].at, o->sections[i].data,
			       o->headers[i].sh_size);
}

/* A map by its name, anything else by its offset. */
static uint64_t symbol_address(const struct object *o, const Elf64_Sym *symbol, int32_t offset)
{
	const struct section *section = &o->sections[symbol->st_shndx];

	if (strcmp(section->name, ".maps"))
		return (uintptr_t)section->data + symbol->st_value + (uint64_t)(int64_t)offset;
	require(native_map(o->names + symbol->st_name), o->names + symbol->st_name);
	return (uintptr_t)native_map(o->names + symbol->st_name);
}

static void relocate(struct object *o, const Elf64_Rel *rel, size_t section)
{
	size_t index = o->sections[section].at + rel->r_offset / sizeof(*o->code);
	const Elf64_Sym *symbol = &o->symbols[ELF64_R_SYM(rel->r_info)];
	struct bpf_insn *at = &o->code[index];
	uint64_t address;

	if (at->code == (BPF_JMP | BPF_CALL)) {
		at->imm += (int32_t)(o->sections[symbol->st_shndx].at +
				     symbol->st_value / sizeof(*at)) -
			   (int32_t)index;
		return;
	}
	require(at->code == (BPF_LD | BPF_IMM | BPF_DW), "a relocation of a kind that is known");
	address = symbol_address(o, symbol, at->imm);
	at[0].imm = (int32_t)address;
	at[1].imm = (int32_t)(address >> 32);
}

struct object *object_read(const char *path)
{
	struct object *o = calloc(1, sizeof(*o));

	require(o, "memory");
	o->file = file_read(path);
	sections_read(o);
	code_join(o);
	for (size_t i = 0; i < o->section_count; i++) {
		const Elf64_Rel *rel = (const void *)o->sections[i].data;
		size_t count = o->headers[i].sh_size / sizeof(*rel);

		if (o->headers[i].sh_type != SHT_REL ||
		    !is_code(&o->headers[o->headers[i].sh_info]))
			continue;
		for (size_t n = 0; n < count; n++)
			relocate(o, &rel[n], o->headers[i].sh_info);
	}
	return o;
}

void object_free(struct object *object)
{
	free(object->code);
	free(object->sections);
	free(object->file);
	free(object);
}

static const Elf64_Sym *symbol_find(const struct object *o, const char *name)
{
	for (size_t i = 0; i < o->symbol_count; i++)
		if (!strcmp(o->names + o->symbols[i].st_name, name))
			return &o->symbols[i];
	fprintf(stderr, "tests/counts: the object has no %s\n", name);
	exit(2);
}

const struct bpf_insn *object_program(const struct object *object, const char *name)
{
	const Elf64_Sym *symbol = symbol_find(object, name);

	return object->code + object->sections[symbol->st_shndx].at +
	       symbol->st_value / sizeof(*object->code);
}

void *object_constant(const struct object *object, const char *name)
{
	const Elf64_Sym *symbol = symbol_find(object, name);

	return object->sections[symbol->st_shndx].data + symbol->st_value;
}
