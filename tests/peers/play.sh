# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
# Plays one list of rows: a lab with a party for each role, the servers once, then role after role and variant
# after variant: audit, probes, enforce, probes, real peers, and coverage's report on it. Sourced by
# tests/peers/run; assertions go to stdout, one line each.
set -uo pipefail

. "$(dirname "${BASH_SOURCE[0]}")/lab.sh"
FLOWREEVE=${FLOWREEVE:-$(cd "$peers_top" && realpath -m "${BUILD:-build}/flowreeve")}
for file in "$peers_here"/services/*.sh; do
	. "$file"
done
# The patience of a probe. Silence proves nothing by itself: coverage shows that a probe was refused, and
# audit that it would have arrived, where the probe waits for an answer for as long as a busy machine may
# need.
silence=0.35 answer=30

fr() # PARTY VERB...
{
	local party=$1
	shift
	lab_enter "$party" timeout -s KILL 120 "$FLOWREEVE" "$@" --pin-root "$LAB_DIR/bpf/flowreeve"
}

ok() { printf 'ok - %s\n' "$1"; }
not_ok() # WHAT [DETAIL]
{
	printf 'not ok - %s\n' "$1"
	[ -z "${2:-}" ] || head -20 <<<"$2" | sed 's/^/    # /'
}

succeeds() # WHAT COMMAND...
{
	local what=$1 output
	shift
	if output=$("$@" 2>&1); then ok "$what"; else not_ok "$what" "$output" && return 1; fi
}

# As tests/peers/judge reads it. PARTY -> stdout
coverage_words()
{
	fr "$1" coverage --json "${subnets[@]}" | jq -r '.policies[] |
		(.rules[] | select(.row) | "rule \(.row.row) \(.seen or .never_answered) \(.attempts) \(.drops + .would_drops)"),
		(.unexplained[] | "open \(.direction) \(.protocol) \(.peer) \(.port) \(.verdict)")'
}

# Those of one party, one after the other. TABLE PARTY
party_serve()
{
	local party address port service options said
	while read -r party address port service options; do
		[ "$party" = "$2" ] || continue
		# shellcheck disable=SC2086 # words
		said=$("serve_$service" "$party" "$address" "$port" $options 2>&1 >/dev/null) ||
			not_ok "$1: $service of $party starts on $address $port" "$said"
	done <"$work/servers"
}

servers_start() # TABLE
{
	local party pids=()
	for party in $(cut -d' ' -f1 "$work/servers" | sort -u); do
		party_serve "$1" "$party" &
		pids+=($!)
	done
	wait "${pids[@]}"
}

# All at once, each from its party. DIR PHASE
probes_do()
{
	local column=9
	[ "$2" = enforce ] || column=8
	awk -v column=$column -v silence=$silence -v answer=$answer '{
		print NR, $2, $3, $4, $5, $column ~ /timeout/ ? silence : answer }' "$1/probes" |
		timeout -s KILL 60 "$peers_here/probe" "$LAB_TAG" "$LAB_CGROUPS" >"$1/$2.answers"
}

# One line for the judge. DIR PHASE NUMBER SERVICE WORDS...
ask_do()
{
	local where="$1/$2.said.$3" number=$3 service=$4
	shift 4
	"ask_$service" "$@" >"$where" 2>&1
	echo "$number $?"
}

# A party that asks in two phases uses other ports in the second: a datagram from the same port belongs to the same
# flow, which counts no new attempt. DIR PHASE
ports_choose()
{
	local source range='32768 46999'
	if [ "$2" = enforce ]; then
		[ -e "$1/audit.asked" ] || [ -e "$1/watched.asked" ] || return 0
		range='47000 60999'
	fi
	for source in $(cut -d' ' -f2 "$1/asks" | sort -u); do
		lab_enter "$source" sh -c 'echo "$0" >/proc/sys/net/ipv4/ip_local_port_range' "$range"
	done
}

asks_do() # DIR PHASE
{
	local number=0 source address port protocol service options
	ports_choose "$1" "$2"
	while read -r _ source _ address port protocol service options <&3; do
		number=$((number + 1))
		# shellcheck disable=SC2086 # words
		ask_do "$1" "$2" $number "$service" "$source" "$address" "$port" "$protocol" $options
	done 3<"$1/asks" >"$1/$2.asked"
}

# WHO DIR ROLE PHASE: with the policy in force
phase_do()
{
	probes_do "$2" "$4"
	coverage_words "$3" >"$2/$4.probed"
	[ "$4" = enforce ] || [ "$audit" = True ] || return 0
	asks_do "$2" "$4"
	coverage_words "$3" >"$2/$4.lived"
}

# A policy for cgroups attaches no interface whose subnets would be the local ones. PARTY -> subnets
subnets_find()
{
	local v4 v6
	read -r _ v4 v6 _ < <(grep "^$1 " "$work/parties")
	subnets=(--local-subnet "eth0=${v4%.*}.0/24" --local-subnet "eth0=${v6%:*}:/64")
}

play_one() # TABLE VARIANT ROLE KIND
{
	local who="$1, $2, as $3" where="$work/$2.$3" attach='{interfaces: [eth0]}' subnets=()
	[ "$4" = interface ] || {
		attach="{cgroups: [/$LAB_TAG-$3]}"
		subnets_find "$3"
	}
	sed -i "s|@ATTACH@|$attach|" "$where/policy.yaml"
	succeeds "$who: apply in audit" fr "$3" apply "$where/policy.yaml" "${subnets[@]}" || return
	phase_do "$who" "$where" "$3" audit
	succeeds "$who: enforce" fr "$3" apply "$where/policy.yaml" --mode enforce "${subnets[@]}"
	succeeds "$who: zero" fr "$3" zero
	phase_do "$who" "$where" "$3" enforce
	"$peers_here/judge" "$who" "$where" >"$where/judged"
	cat "$where/judged"
	! grep -q '^not ok' "$where/judged" || fr "$3" show drops --json 2>&1 | jq -c '.drops[]' | sed 's/^/    # /'
	fr "$3" coverage "${subnets[@]}" 2>&1 | sed '/^UNEXPLAINED/,$d; s/^/# /'
	succeeds "$who: detach" fr "$3" detach
}

# Connections of earlier plays end here, lest a repeated segment be reported as refused.
conversations_end()
{
	local party
	while read -r party _; do
		lab_enter "$party" ss -K -t state connected >/dev/null 2>&1
	done <"$work/parties"
}

# A policy that knows only neighbours of one role's addresses is watched in audit while the rows are played;
# learn's proposal makes it whole: every row works, and nothing else does. TABLE VARIANT ROLE FORGOTTEN
learn_one()
{
	local who="$1, $2, as $3, having learned $4" where="$work/learn.$2.$3" subnets=() audit=False
	mkdir "$where"
	cp "$work/$2.$3"/{rows,asks,probes} "$where"
	sed -E "/^ *$4: /{ s|\.[0-9]+\"|.77\"|; s|::[0-9a-f]+\"|::77\"| }; s|@ATTACH@|{interfaces: [eth0]}|" "$work/$2.$3/policy.yaml" >"$where/policy.yaml"
	conversations_end
	succeeds "$who: apply in audit" fr "$3" apply "$where/policy.yaml" || return
	asks_do "$where" watched
	cp "$where/policy.yaml" "$where/before.yaml"
	if fr "$3" learn >"$where/diff" 2>"$where/learn.said"; then ok "$who: learn"; else
		not_ok "$who: learn" "$(cat "$where/learn.said")"
	fi
	succeeds "$who: learn itself changes nothing" cmp "$where/before.yaml" "$where/policy.yaml"
	succeeds "$who: patch takes the proposal" patch -s "$where/policy.yaml" "$where/diff"
	succeeds "$who: check takes what patch made" "$FLOWREEVE" check "$where/policy.yaml"
	succeeds "$who: enforce" fr "$3" apply "$where/policy.yaml" --mode enforce
	succeeds "$who: zero" fr "$3" zero
	phase_do "$who" "$where" "$3" enforce
	"$peers_here/judge" "$who" "$where" enforce
	sed 's/^/# /' "$where/diff"
	succeeds "$who: detach" fr "$3" detach
}

# A row without ports opens nothing and is reported. TABLE
portless_do()
{
	local variant role row said
	while read -r variant role row; do
		said=$(lab_enter router "$FLOWREEVE" check --json "$work/portless.$variant.$role.yaml" |
			jq -r '.files[].diagnostics[] | select(.check == "row-without-ports") | .message')
		if grep -q "'$row'" <<<"$said"; then
			ok "$1, $variant, as $role: row $row has no ports and is reported"
		else
			not_ok "$1, $variant, as $role: row $row has no ports and is reported" "$said"
		fi
	done <"$work/portless"
}

# Every row of the table itself, both ends. TABLE
complete()
{
	local row end total=0 lived=0 missing=()
	while read -r row; do
		for end in from to; do
			total=$((total + 1))
			if grep -q "^$row $end " "$work/ends"; then lived=$((lived + 1)); else missing+=("$row as $end"); fi
		done
	done < <("$FLOWREEVE" roles "$1" --tables "$work/tables" --json | jq -r '.rows[].id')
	if [ $total -gt 0 ] && [ $lived = $total ]; then
		ok "$1: all $total ends of its rows are played"
		awk -v list="$1" '$3 != list { ends[$1 $2] }
			END { if (length(ends)) print "# " length(ends) " of them as equal rows of the edition before" }' "$work/ends"
	else
		not_ok "$1: $lived of $total ends of its rows are played" "${missing[*]}"
	fi
}

# How much of the table was played, by which roles. TABLE
summary()
{
	awk -v table="$1" '$7 == "listener" { stood[$1] } $7 != "listener" { real[$1] }
		END {
			for (row in stood) if (row in real) both++
			print "# rows: " table ": " length(real) + length(stood) - both " lived, " length(real) " of them by real peers"
		}' "$work"/*.*/asks
}

# The list of the edition before, and the rows that are the same in both: of neither a changed row, nor a changed role,
# nor ports of a changed parameter. Nothing if there is none, or all is to be played. LIST -> earlier
earlier_find()
{
	local table=${1##*/} list changed
	earlier=()
	[ -z "${PEERS_ALL:-}" ] || return 0
	for list in "${1%@*}@"*; do
		[[ $list < $1 ]] && earlier=("$list" "$work/equal")
	done
	[ ${#earlier[@]} -gt 0 ] || return 0
	# 4: they differ, as editions do.
	changed=$("$FLOWREEVE" diff "${earlier[0]##*/}" "$table" --tables "$work/tables" --json)
	[ $? = 4 ] && "$FLOWREEVE" roles "$table" --tables "$work/tables" --json | jq -r --argjson diff "$changed" '
			([$diff.changes[] | select(.change != "gone") | {(.kind): [.name]}] | reduce .[] as $one ({};
				reduce ($one | to_entries[]) as $it (.; .[$it.key] += $it.value))) as $changed |
			def is($kind): IN(($changed[$kind] // [])[]);
			.rows[] | select([(.id | is("row")), (.from, .to | is("role")),
				(.ports[] | capture("\\$\\{(?<name>[^}]*)\\}").name | is("param"))] | any | not) | .id' >"$work/equal"
}

table_end()
{
	trap - EXIT
	peers_down "$work"
	rm -rf "$work"
}

table_play() # LIST
{
	local table=${1##*/} variant role kind audit earlier
	work=$(mktemp -d "/tmp/fro-${table/@/-}.XXXXXX") # "@" is no part of a path in ganesha.conf
	chmod 755 "$work"
	trap table_end EXIT
	trap 'exit 130' INT TERM HUP
	ln -s "$peers_top/policies/tables" "$work/tables"
	earlier_find "$1" && "$peers_here/plan" "$1" "$work" "${earlier[@]}" && peers_up "$work" "$work/parties" || {
		not_ok "$table: the lab stands"
		return
	}
	servers_start "$table"
	while read -r variant role kind audit <&4; do
		[ -z "${ONLY:-}" ] || [[ "$variant.$role" == $ONLY ]] || continue
		play_one "$table" "$variant" "$role" "$kind"
	done 4<"$work/plays"
	while read -r variant role kind <&4; do
		learn_one "$table" "$variant" "$role" "$kind"
	done 4<"$work/learns"
	portless_do "$table"
	complete "$table"
	summary "$table"
}
