# fish completion for slipway (fish 3.0 and newer), as "slipway completion fish" prints it.
# The program itself knows what fits: this asks the one that is found on the PATH.
# SPDX-License-Identifier: Apache-2.0

function __slipway_complete
    set -l words (commandline -opc)
    set -l token (commandline -ct)
    set -l current (string unescape -- "$token"; or string replace -r -- '^["\']' '' "$token")
    set -e words[1]
    set -l lines (env SLIPWAY_JSON=no SLIPWAY_EVENTS=no slipway completion fish -- $words "$current" 2>/dev/null </dev/null)
    set -l kind $lines[1]
    set -e lines[1]

    set -l stem (string match -r -- '^--[^=]*=' "$current")
    set -l value (string replace -r -- '^--[^=]*=' '' "$current")
    switch "$kind"
        case files
            printf "$stem%s\n" (__fish_complete_path "$value")
        case directories
            printf "$stem%s\n" (__fish_complete_directories "$value" '')
        case 'command *'
            set -l at (math (string replace 'command ' '' -- $kind) + 1)
            set -l front
            if test $at -le (count $words)
                set front (string escape -- $words[$at..-1])
            end
            complete -C (string join ' ' -- $front "$token")
        case '*'
            string join \n -- $lines
    end
end

complete -c slipway -e
complete -c slipway -f -k -a '(__slipway_complete)'
