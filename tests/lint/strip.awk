# Print C source as "file:line:code", with comments and the contents of string and character literals blanked.
FNR == 1 { in_comment = 0 }
{
    line = $0
    out = ""
    quote = ""
    while (line != "") {
        if (in_comment) {
            end = index(line, "*/")
            if (end == 0) { line = ""; break }
            line = substr(line, end + 2)
            in_comment = 0
            out = out " "
        } else if (quote != "") {
            c = substr(line, 1, 1)
            if (c == "\\") line = substr(line, 3)
            else {
                line = substr(line, 2)
                if (c == quote) { out = out c; quote = "" }
            }
        } else if (match(line, /["']|\/\*|\/\//)) {
            out = out substr(line, 1, RSTART - 1)
            found = substr(line, RSTART, RLENGTH)
            line = substr(line, RSTART + RLENGTH)
            if (found == "//") line = ""
            else if (found == "/*") in_comment = 1
            else { quote = found; out = out found }
        } else {
            out = out line
            line = ""
        }
    }
    print FILENAME ":" FNR ":" out
}
