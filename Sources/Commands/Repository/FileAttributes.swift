// Mode and owner of a file, one object for all files that have the same.

import BackstopCore

final class FileAttributes: Sendable {
    let mode: UInt32
    let owner: Manifest.Owner

    init(mode: UInt32, owner: Manifest.Owner) { (self.mode, self.owner) = (mode, owner) }

    /// Few sets of attributes stand for many files.
    struct Sharing {
        private struct Value: Hashable {
            var mode: UInt32
            var owner: Manifest.Owner
        }
        private var known: [Value: FileAttributes] = [:]

        mutating func attributes(mode: UInt32, owner: Manifest.Owner) -> FileAttributes {
            let value = Value(mode: mode, owner: owner)
            if let found = known[value] { return found }
            let made = FileAttributes(mode: mode, owner: owner)
            known[value] = made
            return made
        }
    }
}
