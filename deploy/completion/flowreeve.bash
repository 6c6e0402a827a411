# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
# Completion for bash: verbs, the options of each, files, tables and their roles, hosts of a site,
# interfaces, names of applied policies, ids of rules. It reads directories; for roles, hosts and rules it
# runs one command, bounded in time, for rules only where the caller may read what is pinned. tests/cli/40-docs.sh holds its words to the program.

_flowreeve_verbs='check explain compile roles new import plan preview apply confirm cancel extend status verify show diff coverage report learn monitor zero detach history doctor version'

_flowreeve_filters='peer port verdict rule row process direction since and'

_flowreeve_options() # VERB
{
	local file='--json --strict --tables --local-subnet --mode'
	case $1 in
	check) echo "$file" ;;
	explain) echo "$file --running --pin-root" ;;
	diff) echo "$file --cgroup --pin-root" ;;
	compile) echo "$file --dump" ;;
	roles) echo '--json --tables --wide' ;;
	new) echo '--tables --table --as --name --attach' ;;
	import) echo '--json --tables --against --name --title' ;;
	plan) echo '--strict --tables --local-subnet --host --all --dir' ;;
	preview) echo "$file --write-failsafe --wide --cgroup --pin-root" ;;
	apply) echo "$file --confirm --until --cut --force --no-preview --allow-removal --new-edition --flows --cgroup --no-tcx --pin-root" ;;
	confirm) echo '--new-connection --json --pin-root' ;;
	cancel | extend) echo '--json --pin-root' ;;
	status) echo '--json --policy --query --wide --pin-root' ;;
	verify) echo '--json --policy --probe --pin-root' ;;
	show) echo '--json --peer --wide --sort --limit --policy --pin-root' ;;
	zero) echo '--json --policy --pin-root' ;;
	coverage) echo '--json --policy --wide --flows --source --tables --local-subnet --cgroup --pin-root' ;;
	report) echo '--text --output --source --tables --local-subnet --cgroup --pin-root' ;;
	learn) echo '--json --policy --flows --source --peer --rules-only --tables --local-subnet --cgroup --pin-root' ;;
	monitor) echo '--json --policy --openings --count --wide --pin-root' ;;
	detach) echo '--json --all --pin-root' ;;
	history) echo '--json --limit --wide' ;;
	doctor) echo '--json --cgroup --pin-root' ;;
	version) echo '--json' ;;
	esac
	echo '--help'
}

# Words, apart by blanks, that begin like the current one. Names of files, devices and cgroups are among them: compgen -W
# would expand what they hold. A word that the shell would not take as it stands is left out.
_flowreeve_words() # WORD...
{
	local word list=()
	read -r -d '' -a list <<<"$*"
	COMPREPLY=()
	for word in "${list[@]}"; do
		[[ $word == "$cur"* && $word != *[!A-Za-z0-9_./:=@%+,-]* ]] && COMPREPLY+=("$word")
	done
}

_flowreeve_paths() # -f or -d
{
	compopt -o filenames 2>/dev/null
	mapfile -t COMPREPLY < <(compgen "$1" -- "$cur")
}

# Policies and tables, and the directories on the way to them.
_flowreeve_files()
{
	local path
	compopt -o filenames 2>/dev/null
	while IFS= read -r path; do
		case $path in
		*.yaml | *.yml) COMPREPLY+=("$path") ;;
		*) [ -d "$path" ] && COMPREPLY+=("$path") ;;
		esac
	done < <(compgen -f -- "$cur")
}

# An applied policy has a directory below the pin root, which only its owner may read.
_flowreeve_policies()
{
	local path names=''
	for path in "$root"/*/; do
		[ -d "$path" ] && path=${path%/} && names+=" ${path##*/}"
	done
	_flowreeve_words "$names"
}

_flowreeve_rules()
{
	local command=${words[0]} policy=()
	[ -r "$root" ] && [ -x "$root" ] || return
	[ -z "$named" ] || policy=(--policy "$named")
	_flowreeve_words "$(timeout "${_flowreeve_seconds:-1}" "$command" show rules --pin-root "$root" "${policy[@]}" 2>/dev/null |
		awk '$1 == "RULE" { rules = 1; next } !NF { rules = 0 } rules { print $1 }' | head -n 4096)"
}

_flowreeve_interfaces() # SUFFIX
{
	local path names=''
	for path in /sys/class/net/*; do
		[ "${path##*/}" = lo ] || names+=" ${path##*/}$1"
	done
	_flowreeve_words "$names"
}

# Tables where a policy of this directory finds them, and files.
_flowreeve_tables()
{
	local dir path names=''
	for dir in ${tables:+"$tables"} tables ../tables /etc/flowreeve/tables \
		"${BASH_SOURCE[0]%/*}/../../flowreeve/tables"; do
		for path in "$dir"/*.yaml; do
			[ -f "$path" ] && path=${path##*/} && names+=" ${path%.yaml}"
		done
	done
	_flowreeve_words "$names"
	_flowreeve_files
}

_flowreeve_ask() # OPERAND...: one command without a terminal's width
{
	COLUMNS='' timeout "${_flowreeve_seconds:-1}" "${words[0]}" "$@" 2>/dev/null
}

_flowreeve_roles()
{
	[ -z "$table" ] ||
		_flowreeve_words "$(_flowreeve_ask roles "$table" ${tables:+--tables "$tables"} |
			awk '$1 == "ROLE" { roles = 1; next } $1 == "?:" { exit } roles { print $1 }')"
}

_flowreeve_params()
{
	[[ $cur != *=* && -n $first ]] || return
	compopt -o nospace 2>/dev/null
	_flowreeve_words "$(_flowreeve_ask roles "$first" ${tables:+--tables "$tables"} |
		awk '$1 == "PARAM" { params = 1; next } params && !NF { exit } params { print $1 "=" }')"
}

_flowreeve_hosts()
{
	[ -z "$first" ] ||
		_flowreeve_words "$(_flowreeve_ask check "$first" ${tables:+--tables "$tables"} |
			awk '/^    / { print $1 }')"
}

# The shell replaces the part after "=" alone.
_flowreeve_attach()
{
	local path names='' kind=${cur%%=*}
	if [[ $cur != *=* ]]; then
		compopt -o nospace 2>/dev/null
		_flowreeve_words interfaces= guests= cgroups=
		return
	fi
	cur=${cur#*=}
	case $kind in
	interfaces | guests) _flowreeve_interfaces '' ;;
	cgroups)
		for path in /sys/fs/cgroup"$cur"*/; do
			[ -d "$path" ] && path=${path%/} && names+=" ${path#/sys/fs/cgroup}"
		done
		_flowreeve_words "$names"
		;;
	esac
}

_flowreeve_takes_value() # OPTION
{
	case $1 in
	--mode | --tables | --cgroup | --pin-root | --policy | --local-subnet | --count | --flows | \
		--sort | --limit | --table | --as | --name | --attach | --title | --source | --host | --dir | \
		--output | --confirm | --until | --force | --against) ;;
	*) return 1 ;;
	esac
}

_flowreeve_value() # OPTION
{
	case $1 in
	--mode) _flowreeve_words audit enforce ;;
	--force) _flowreeve_words session nothing-allowed ;;
	--sort) _flowreeve_words last first packets bytes peer port rule ;;
	--tables | --cgroup | --pin-root | --dir) _flowreeve_paths -d ;;
	--policy) _flowreeve_policies ;;
	--table | --against) _flowreeve_tables ;;
	--source) _flowreeve_files ;;
	--flows) [ "$verb" = apply ] || _flowreeve_paths -f ;;
	--as) _flowreeve_roles ;;
	--host) _flowreeve_hosts ;;
	--attach) _flowreeve_attach ;;
	--local-subnet) compopt -o nospace 2>/dev/null && _flowreeve_interfaces '=' ;;
	esac
}

# Policies, and the keys of a filter or the value of one.
_flowreeve_filter()
{
	case $prev in
	verdict) _flowreeve_words pass drop would-drop ;;
	direction) _flowreeve_words egress ingress ;;
	rule) _flowreeve_rules ;;
	peer | port | row | process | since) ;;
	*)
		_flowreeve_policies
		mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -W "$_flowreeve_filters" -- "$cur")
		;;
	esac
}

_flowreeve_explain() # OPERANDS BEFORE THIS ONE
{
	case $1 in
	0) _flowreeve_files ;;
	1) _flowreeve_words egress ingress ;;
	2) _flowreeve_words tcp udp icmp icmpv6 sctp dccp udplite esp ah gre ;;
	4) _flowreeve_words echo-request echo-reply destination-unreachable time-exceeded \
		parameter-problem packet-too-big redirect ;;
	esac
}

# A policy and a file, or two editions.
_flowreeve_diff() # OPERANDS BEFORE THIS ONE
{
	local policies=()
	[ "$1" -lt 2 ] || return 0
	[ "$1" = 1 ] || { _flowreeve_policies && policies=("${COMPREPLY[@]}"); }
	_flowreeve_tables
	COMPREPLY+=("${policies[@]}")
}

_flowreeve_operand() # VERB OPERANDS BEFORE THIS ONE
{
	case $1 in
	check) _flowreeve_files ;;
	compile | preview | apply | plan) [ "$2" != 0 ] || _flowreeve_files ;;
	roles) if [ "$2" = 0 ]; then _flowreeve_tables; else _flowreeve_params; fi ;;
	explain) if [ "$2$running" = 01 ]; then _flowreeve_policies; else _flowreeve_explain "$2"; fi ;;
	diff) _flowreeve_diff "$2" ;;
	import) [ "$2" != 0 ] || _flowreeve_paths -f ;;
	show)
		if [ "$2" = 0 ]; then
			_flowreeve_words rules flows drops policy
		elif [ "$first" = policy ]; then
			_flowreeve_policies
		else
			_flowreeve_filter
		fi
		;;
	monitor) _flowreeve_filter ;;
	status | verify | coverage | learn | detach) _flowreeve_policies ;;
	report | confirm | cancel | history) [ "$2" != 0 ] || _flowreeve_policies ;;
	extend) [ "$2" != 1 ] || _flowreeve_policies ;;
	zero) _flowreeve_rules ;;
	help) [ "$2" != 0 ] || _flowreeve_words "$_flowreeve_verbs" ;;
	esac
}

# The words before the current one: the verb, how many operands, and the options that matter here.
_flowreeve_read()
{
	local at name value
	for ((at = 1; at < cword; at++)); do
		name=${words[at]%%=*} value=''
		if [[ ${words[at]} == --?* && $ended == 0 ]]; then
			if [[ ${words[at]} == *=* ]]; then
				value=${words[at]#*=}
			elif _flowreeve_takes_value "$name"; then
				value=${words[++at]-}
			fi
			case $name in
			--pin-root) root=$value ;;
			--policy) named=$value ;;
			--tables) tables=$value ;;
			--table) table=$value ;;
			--running) running=1 ;;
			esac
		elif [[ ${words[at]} == -- && $ended == 0 ]]; then
			ended=1
		elif [ -z "$verb" ]; then
			verb=${words[at]}
		else
			[ "$operands" != 0 ] || first=${words[at]}
			operands=$((operands + 1))
		fi
	done
}

_flowreeve()
{
	local cur prev words cword split=false
	local verb='' named='' tables='' table='' first='' root=/sys/fs/bpf/flowreeve
	local -i operands=0 ended=0 running=0
	_init_completion -s || return
	_flowreeve_read
	if [ "$ended" = 0 ] && _flowreeve_takes_value "$prev"; then
		_flowreeve_value "$prev"
	elif $split; then
		return
	elif [ -z "$verb" ]; then
		_flowreeve_words "$_flowreeve_verbs help --help --version"
	elif [[ $ended == 0 && $cur == -* ]]; then
		_flowreeve_words "$(_flowreeve_options "$verb")"
	else
		_flowreeve_operand "$verb" "$operands"
	fi
} &&
	complete -F _flowreeve flowreeve
