# From apt's own source files (*.list, *.sources), prints one deb822 file with the entries of
# component main of the suite `from` with the suite `to` in its place: the same mirror, the same
# keys.
#   awk -v from=bookworm -v to=trixie -f suite.awk FILE…

function has(list, word,    words, n, i) {
    n = split(list, words, /[ \t\n]+/)
    for (i = 1; i <= n; i++)
        if (words[i] == word)
            return 1
    return 0
}

function flush() {
    if (has(values["types"], "deb") && has(values["suites"], from) && has(values["components"], "main") &&
        tolower(values["enabled"]) !~ /no|false|off|0/)
        printf "Types: deb\nSuites: %s\nComponents: main\n%s\n", to, kept
    kept = ""
    field = ""
    delete values
}

# deb [name=value …] URI suite component…
function one_line(    options, words, n, i, pair) {
    sub(/^[ \t]*deb[ \t]+/, "")
    sub(/[ \t]*#.*/, "")
    if (match($0, /^\[[^]]*\][ \t]*/)) {
        options = substr($0, 2, RLENGTH)
        sub(/\].*/, "", options)
        $0 = substr($0, RLENGTH + 1)
    }
    if ($2 != from || !has($0, "main"))
        return
    printf "Types: deb\nSuites: %s\nComponents: main\nURIs: %s\n", to, $1
    n = split(options, words, /[ \t]+/)
    for (i = 1; i <= n; i++)
        if (split(words[i], pair, "=") == 2 && pair[1] == "signed-by")
            printf "Signed-By: %s\n", pair[2]
    printf "\n"
}

FNR == 1 { flush() }
FILENAME ~ /\.list$/ { if ($0 ~ /^[ \t]*deb[ \t]/) one_line(); next }
/^[ \t]*$/ { flush(); next }
/^#/ { next }
/^[^ \t]/ {
    field = tolower(substr($0, 1, index($0, ":") - 1))
    values[field] = substr($0, index($0, ":") + 1)
}
/^[ \t]/ { values[field] = values[field] "\n" $0 }
field == "uris" || field == "signed-by" { kept = kept $0 "\n" }
END { flush() }
