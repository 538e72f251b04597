// Which paths of a cluster hold relations.

import BackstopCore

/// Names as in the manifest: `pg_data/base/5`, `pg_tblspc/16400/PG_15_202209061/5`.
enum DatabasePath {
    /// Whether relation files lie directly in `folder`.
    static func isFolder(_ folder: some StringProtocol) -> Bool {
        let parts = folder.split(separator: "/", omittingEmptySubsequences: false)
        return switch parts.first {
        case "pg_data": parts.count == 2 && parts[1] == "global" || parts.count == 3 && parts[1] == "base" && isNumber(parts[2])
        case "pg_tblspc": parts.count == 4 && isNumber(parts[1]) && isVersion(parts[2]) && isNumber(parts[3])
        default: false
        }
    }

    /// Whether the pages of `file` carry checksums in a cluster that has them: it is a relation, as PostgreSQL names them. An extension's
    /// files and anybody's notes lie in the same folders.
    static func hasPages(_ file: String) -> Bool {
        guard let slash = file.utf8.lastIndex(of: UInt8(ascii: "/")), isFolder(file[..<slash]) else { return false }
        return isRelation(file[file.utf8.index(after: slash)...])
    }

    /// `16384`, `16384.1`, `16384_vm`, `16384_init.1`; of temporary tables, which backups leave out, `t3_16384`.
    static func isRelation(_ name: Substring) -> Bool {
        var parts = name.split(separator: ".", omittingEmptySubsequences: false)
        if parts.count == 2, !isNumber(parts.removeLast()) { return false }
        guard parts.count == 1 else { return false }
        var words = parts[0].split(separator: "_", omittingEmptySubsequences: false)
        if words.count > 1, words[0].hasBytes("t"), isNumber(words[0].dropFirst()) { words.removeFirst() }
        guard let number = words.first, isNumber(number), words.count <= 2 else { return false }
        return words.count == 1 || ["fsm", "vm", "init"].contains(words[1])
    }

    /// The number of a relation's segment: 3 for `16384.3`, 0 for `16384`.
    static func segment(of file: String) -> UInt32 {
        let name = file.utf8.lastIndex(of: UInt8(ascii: "/")).map { file[file.utf8.index(after: $0)...] } ?? file[...]
        guard let dot = name.utf8.lastIndex(of: UInt8(ascii: ".")), isNumber(name[name.utf8.index(after: dot)...]) else { return 0 }
        return UInt32(name[name.utf8.index(after: dot)...]) ?? 0
    }

    private static func isNumber(_ text: some StringProtocol) -> Bool {
        !text.isEmpty && text.utf8.allSatisfy { UInt8(ascii: "0")...UInt8(ascii: "9") ~= $0 }
    }

    /// `PG_15_202209061`, `PG_9.6_201608131`.
    private static func isVersion(_ text: some StringProtocol) -> Bool {
        let parts = text.split(separator: "_", omittingEmptySubsequences: false)
        return parts.count == 3 && parts[0] == "PG" && isNumber(parts[2])
            && parts[1].split(separator: ".", omittingEmptySubsequences: false).allSatisfy { isNumber($0) }
    }
}
