# bash completion for slipway (bash 3.2 and newer), as "slipway completion bash" prints it.
# The program itself knows what fits: this asks the one that is found on the PATH.
# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0

_slipway() {
	local line reply kind='' at=0 cur=${2-}
	COMPREPLY=()

	reply=$(SLIPWAY_JSON=no SLIPWAY_EVENTS=no command slipway completion bash -- \
		"${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null </dev/null)
	while IFS= read -r line; do
		if [ -z "$kind" ]; then
			kind=$line
		else
			COMPREPLY+=("$line")
		fi
	done <<<"$reply"

	case $kind in
	files) compopt -o filenames 2>/dev/null ;;
	directories) compopt -o filenames -o dirnames +o default 2>/dev/null ;;
	"command "*)
		at=$((${kind#command } + 1))
		if declare -F _command_offset >/dev/null; then
			_command_offset "$at"
		elif [ "$COMP_CWORD" -eq "$at" ]; then
			reply=$(compgen -c -- "$cur")
			while IFS= read -r line; do
				[ -z "$line" ] || COMPREPLY+=("$line")
			done <<<"$reply"
		fi
		;;
	*) compopt +o default 2>/dev/null ;;
	esac
	return 0
}

# With no word to offer, readline completes file names ("default"); compopt, which bash 3.2 lacks,
# takes that back where none are wanted.
complete -o default -F _slipway slipway
