// Finds the known name that a mistyped one was probably meant to be.

/// Damerau-Levenshtein distance in its optimal-alignment form: insert, delete, replace, and swap of two neighbours cost one each.
func editDistance(_ a: String, _ b: String) -> Int {
    let a = Array(a.utf8)
    let b = Array(b.utf8)
    var beforeLast = [Int](repeating: 0, count: b.count + 1)
    var last = Array(0...b.count)
    for i in 0..<a.count {
        var row = [Int](repeating: i + 1, count: b.count + 1)
        for j in 0..<b.count {
            let replaced = last[j] + (a[i] == b[j] ? 0 : 1)
            row[j + 1] = min(replaced, last[j + 1] + 1, row[j] + 1)
            if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { row[j + 1] = min(row[j + 1], beforeLast[j - 1] + 1) }
        }
        beforeLast = last
        last = row
    }
    return last[b.count]
}

/// The nearest of `names`, or nil when none is near: a third of the letters may differ, three at most. The first wins among equals.
public func nearestName(to written: String, in names: some Sequence<String>) -> String? {
    var best: (name: String, distance: Int)?
    let limit = min(3, max(1, written.utf8.count / 3))
    for name in names where abs(name.utf8.count - written.utf8.count) <= limit {
        let distance = editDistance(written, name)
        if distance <= limit, distance < best?.distance ?? .max { best = (name, distance) }
    }
    return best?.name
}
