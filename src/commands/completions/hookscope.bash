# Bash splits words at = and :, which filters and sort keys contain: join them again, complete the whole word, and hand back the
# part that Bash replaces.
_hookscope() {
    local words=() word current prefix i
    local line="${COMP_LINE:0:COMP_POINT}"
    for (( i = 0; i <= COMP_CWORD; i++ )); do
        word="${COMP_WORDS[i]}"
        if (( i > 0 )) && [[ -n $line && $line != [[:blank:]]* ]]; then
            current="${words[${#words[@]} - 1]}"
        else
            words+=("")
            current=""
        fi
        line="${line#"${line%%[![:blank:]]*}"}"
        if (( i == COMP_CWORD )) && [[ $word != [=:]* ]]; then
            word="$2"
        fi
        line="${line#"$word"}"
        words[${#words[@]} - 1]="$current$word"
    done
    current="${words[${#words[@]} - 1]}"
    prefix="${current%"$2"}"
    IFS=$'\013' read -r -d '' -a COMPREPLY < <(
        _CLAP_IFS=$'\013' _CLAP_COMPLETE_INDEX=$(( ${#words[@]} - 1 )) VARIABLE=bash \
            hookscope -- "${words[@]}" 2>/dev/null
    )
    COMPREPLY=( "${COMPREPLY[@]#"$prefix"}" )
    if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *[=:/] ]]; then
        compopt -o nospace 2>/dev/null
    fi
}
complete -o nosort -F _hookscope hookscope 2>/dev/null || complete -F _hookscope hookscope
