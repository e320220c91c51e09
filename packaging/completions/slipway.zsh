#compdef slipway
# zsh completion for slipway, as "slipway completion zsh" prints it: as file _slipway in a directory of
# fpath, or sourced behind compinit.
# The program itself knows what fits: this asks the one that is found on the PATH.
# SPDX-License-Identifier: Apache-2.0

_slipway() {
	local line kind
	local -a lines described
	local -a before=("${(@Q)words[2,CURRENT-1]}")

	lines=("${(@f)$(SLIPWAY_JSON=no SLIPWAY_EVENTS=no command slipway completion zsh -- \
		"${before[@]}" "${(Q)PREFIX}" 2>/dev/null </dev/null)}")
	kind=$lines[1]

	case $kind in
	files | directories)
		[[ $PREFIX == --*=* ]] && compset -P '*='
		if [[ $kind == files ]]; then _files; else _files -/; fi
		return
		;;
	command\ *)
		local at=$((${kind#command } + 2))
		shift $((at - 1)) words
		((CURRENT -= at - 1))
		_normal
		return
		;;
	esac

	for line in "${(@)lines[2,-1]}"; do
		[[ -n $line ]] || continue
		if [[ $line == *$'\t'* ]]; then
			described+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}")
		else
			described+=("${line//:/\\:}")
		fi
	done
	if [[ $PREFIX == -* ]]; then
		_describe -o option described
	else
		_describe argument described
	fi
}

if [[ $funcstack[1] == _slipway ]]; then
	_slipway "$@"
elif (($+functions[compdef])); then
	compdef _slipway slipway
fi
