// The name of a file in a manifest, held so that a million of them share what repeats.

import BackstopCore

/// `pg_data/base/5/1259`, `pg_tblspc/16400/PG_15_202209061/5/16401`: bytes, in whose order manifests are. The folder is one object for all
/// files in it, and the name of a relation fits where a long text would need memory of its own.
struct ManifestName: Sendable, Hashable, Comparable, CustomStringConvertible {
    final class Folder: Sendable {
        let path: String
        init(_ path: String) { self.path = path }
    }

    /// nil: the name has no `/`.
    let folder: Folder?
    let base: String

    init(_ base: String, in folder: Folder?) { (self.base, self.folder) = (base, folder) }

    /// With a folder of its own.
    init(_ text: String) {
        guard let slash = text.utf8.lastIndex(of: UInt8(ascii: "/")) else {
            self.init(text, in: nil)
            return
        }
        self.init(String(text[text.utf8.index(after: slash)...]), in: Folder(String(text[..<slash])))
    }

    var text: String { folder.map { "\($0.path)/\(base)" } ?? base }
    var description: String { text }
    /// As a part of a key.
    var key: Key { Key(text) }

    func isEqual(to text: String) -> Bool { self == ManifestName(text) }

    static func == (a: ManifestName, b: ManifestName) -> Bool {
        guard sameBytes(a.base, b.base) else { return false }
        if a.folder === b.folder { return true }
        guard let one = a.folder, let other = b.folder else { return false }
        return sameBytes(one.path, other.path)
    }

    func hash(into hasher: inout Hasher) { hasher.combine(key) }

    static func < (a: ManifestName, b: ManifestName) -> Bool {
        if a.folder === b.folder { return bytewiseLess(a.base, b.base) }
        var (one, other) = (a.bytes, b.bytes)
        while let byte = one.next() {
            guard let rival = other.next() else { return false }
            // What stands for bytes that are no UTF-8 begins so (FileName), and has its place by those bytes.
            if byte == 0xF4 || rival == 0xF4 { return bytewiseLess(a.text, b.text) }
            if byte != rival { return byte < rival }
        }
        return other.next() != nil
    }

    /// Of the folder, the slash and the base, without a text of their own.
    private struct Bytes: IteratorProtocol {
        var folder: String.UTF8View.Iterator?
        var base: String.UTF8View.Iterator

        mutating func next() -> UInt8? {
            guard folder != nil else { return base.next() }
            if let byte = folder?.next() { return byte }
            folder = nil
            return UInt8(ascii: "/")
        }
    }

    private var bytes: Bytes { Bytes(folder: folder?.path.utf8.makeIterator(), base: base.utf8.makeIterator()) }

    /// Gives names of one folder one folder, as they are read.
    struct Sharing {
        private var folders: [Key: Folder] = [:]
        private var last: Folder?

        mutating func name(_ text: String) -> ManifestName {
            guard let slash = text.utf8.lastIndex(of: UInt8(ascii: "/")) else { return ManifestName(text, in: nil) }
            let base = String(text[text.utf8.index(after: slash)...])
            let path = text[..<slash]
            // Names come in their order, so mostly from the folder of the one before.
            if let last, last.path.utf8.elementsEqual(path.utf8) { return ManifestName(base, in: last) }
            let key = Key(String(path))
            let folder = folders[key] ?? Folder(key.path)
            folders[key] = folder
            last = folder
            return ManifestName(base, in: folder)
        }
    }
}
