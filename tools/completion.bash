# SPDX-License-Identifier: Apache-2.0
# Completion of waybill's command line in bash: commands, options, their values,
# files, and names out of the store.
#
# A name is offered only where it is spelled like a reference: whoever can write
# to a store must not be able to put anything else onto a command line. Nothing
# from a store is expanded by the shell.

# What the table of commands says. A key is "waybill", "waybill COMMAND" or, of
# _waybill_values, one of these and an option.
unset _waybill_words _waybill_options _waybill_values _waybill_operands
declare -gA _waybill_words _waybill_options _waybill_values _waybill_operands
@table

# What stands for a word of --help such as NAME or FILE: sets $kind. False: the
# word is new here.
_waybill_kind()
{
	case $1 in
	'REVISION|TIME') kind=nothing ;;
	*'|-' | '[FILE|-]') kind=files ;;
	*'|'*) kind=choices ;;
	NAME | NAME… | '[NAME]' | 'NAME[@{POINT}]' | SRC | DST) kind=names ;;
	ADDRESS) kind=addresses ;;
	FILE) kind=segments ;;
	NEWDIR) kind=directories ;;
	'oci:DIR[:TAG]') kind=layouts ;;
	- | BYTES | DIGEST | ID | KEY-… | KEY=VALUE | KEY=VALUE… | N | NAMESPACE | \
		POINT | REVISION | REVISION:CHAIN | TEXT | TIME | TYPE | UID | \
		'[FILTER…]') kind=nothing ;;
	*) return 1 ;;
	esac
}

# Offers those of the words that go on as $current does.
_waybill_offer()
{
	local word
	for word; do
		if [[ $word == "$current"* ]]; then
			COMPREPLY+=("$word")
		fi
	done
}

# _waybill_paths -f|-d PREFIX: files, or directories, behind a prefix.
_waybill_paths()
{
	local path
	while IFS= read -r path; do
		_waybill_offer "$2$path"
	done < <(compgen "$1" -- "${current#"$2"}")
	compopt -o filenames 2>/dev/null
}

# A name a line: those that are there, and for a command that looks at the past
# those of the newest changes, of which some may be deleted. Each takes a second
# at most, whatever the store is doing, and makes none: neither ever does.
_waybill_known()
{
	local line

	timeout 1 "$program" "${passed[@]}" ls -q --limit 200 \
		"name~=|^$1|" </dev/null 2>/dev/null
	case $command in
	*' undo' | *' log' | *' show' | *' diff') ;;
	*) return ;;
	esac
	while IFS= read -r line; do
		if [[ $line =~ ^'{"name":"'([^\"\\]*)'"' ]]; then
			printf '%s\n' "${BASH_REMATCH[1]}"
		fi
	done < <(timeout 1 "$program" "${passed[@]}" log --json --limit 1000 \
		</dev/null 2>/dev/null)
}

# Names that begin with $current, in the shortest form that does; an option has
# them in full.
_waybill_names()
{
	local pattern=$current name form raw=$option
	local -A told=()

	[[ " ${passed[*]} " != *' --raw '* ]] || raw=1
	[[ $current != *[!A-Za-z0-9._:/@+-]* ]] || return
	pattern=${pattern//./[.]}
	pattern=${pattern//+/[+]}
	[[ $raw ]] || pattern="(docker[.]io/(library/)?)?$pattern"
	while IFS= read -r name; do
		[[ $name =~ ^[A-Za-z0-9][A-Za-z0-9._:/@+-]*$ ]] || continue
		for form in "${name#docker.io/library/}" "${name#docker.io/}" \
			"$name"; do
			if [[ $form == "$current"* && (! $raw || $form == "$name") ]]
			then
				[[ ${told[$form]-} ]] || COMPREPLY+=("$form")
				told[$form]=1
				break
			fi
		done
	done < <(_waybill_known "$pattern")
}

# The files of the store, or any behind a slash.
_waybill_segments()
{
	local place=${WAYBILL_STORE-} at

	for ((at = 0; at < ${#passed[@]}; at++)); do
		case ${passed[at]} in
		--store) place=${passed[at + 1]-} ;;
		--store=*) place=${passed[at]#*=} ;;
		esac
	done
	if [[ ! $place ]]; then
		place=dir:${XDG_STATE_HOME:-$HOME/.local/state}/waybill
		[ "$UID" -ne 0 ] || place=dir:/var/lib/waybill
	fi
	for at in "${place#dir:}"/*.log "${place#dir:}"/anchor; do
		[ ! -f "$at" ] || _waybill_offer "${at##*/}"
	done
	[[ $current != */* ]] || _waybill_paths -f ''
}

# _waybill_value WORD: what can stand where --help says WORD.
_waybill_value()
{
	local kind=nothing

	_waybill_kind "$1" || return
	case $kind in
	choices) _waybill_offer ${1//|/ } ;;
	files) _waybill_paths -f '' ;;
	directories) _waybill_paths -d '' ;;
	names) _waybill_names ;;
	segments) _waybill_segments ;;
	layouts) _waybill_prefixed oci:-d ;;
	addresses) _waybill_prefixed dir:-d unix:-f ;;
	esac
}

# _waybill_prefixed PREFIX:-f|PREFIX:-d …: paths behind one of the prefixes, or
# the prefixes.
_waybill_prefixed()
{
	local prefix

	for prefix; do
		if [[ $current == "${prefix%-?}"* ]]; then
			_waybill_paths "${prefix: -2}" "${prefix%-?}"
			return
		fi
		_waybill_offer "${prefix%-?}"
	done
	compopt -o nospace 2>/dev/null
}

# What an option of $command stands before: sets $value; false: nothing.
_waybill_takes()
{
	value=${_waybill_values["$command $1"]-${_waybill_values["waybill $1"]-}}
	[[ $value ]]
}

# Reads the words before the current one: sets $command, $option (whose value
# comes now), $operands (how many there are), $ended and $passed.
_waybill_read()
{
	local word value

	for word; do
		if [[ $option ]]; then
			case $option in
			--store | -n | --namespace) passed+=("$option" "$word") ;;
			esac
			option=
		elif [[ ! $ended && $word == -- ]]; then
			ended=1
		elif [[ ! $ended && $word == -?* ]]; then
			case $word in
			--store=* | --namespace=* | --raw) passed+=("$word") ;;
			esac
			[[ $word == --* ]] || word=-${word: -1}
			! _waybill_takes "$word" || option=$word
		elif [[ ${_waybill_words[$command]-} ]]; then
			[[ $word == help ]] || command+=" $word"
		else
			operands=$((operands + 1))
		fi
	done
}

# The operand that comes now.
_waybill_operand()
{
	local forms

	read -ra forms <<<"${_waybill_operands[$command]-}"
	if ((operands < ${#forms[@]})); then
		_waybill_value "${forms[operands]}"
	elif [[ ${forms[*]: -1} == *… ]]; then
		_waybill_value "${forms[*]: -1}"
	fi
}

_waybill()
{
	local line=${COMP_LINE:0:COMP_POINT} program=${1-waybill} current=
	local command=waybill option= ended= operands=0 value breaks
	local -a words passed=()

	COMPREPLY=()
	type -P -- "$program" >/dev/null || program=waybill
	read -ra words <<<"$line"
	if [[ $line != *[[:space:]] ]]; then
		current=${words[*]: -1}
		unset 'words[-1]'
	fi
	_waybill_read "${words[@]:1}"
	if [[ $option ]] && _waybill_takes "$option"; then
		_waybill_value "$value"
	elif [[ ! $ended && $current == --*=* ]]; then
		option=${current%%=*}
		if _waybill_takes "$option"; then
			current=${current#*=}
			_waybill_value "$value"
			COMPREPLY=("${COMPREPLY[@]/#/$option=}")
			current=$option=$current
		fi
	elif [[ ! $ended && $current == -* ]]; then
		[[ $command == waybill ]] ||
			_waybill_offer ${_waybill_options[$command]-}
		_waybill_offer ${_waybill_options[waybill]}
	elif [[ ${_waybill_words[$command]-} ]]; then
		_waybill_offer ${_waybill_words[$command]}
	else
		_waybill_operand
	fi
	# Readline replaces only what stands behind the last of its own breaks.
	breaks=${COMP_WORDBREAKS//[!:=@]/}
	if [[ $breaks && $current == *["$breaks"]* ]]; then
		COMPREPLY=("${COMPREPLY[@]#"${current%"${current##*["$breaks"]}"}"}")
	fi
}

complete -F _waybill waybill
