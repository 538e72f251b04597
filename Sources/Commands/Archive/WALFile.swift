// A file that PostgreSQL wants to have archived.

import BackstopCore

struct WALFile: Sendable {
    /// Absolute, for messages.
    let path: String
    /// The last part of it: a segment, a timeline history or a backup history file.
    let name: String
    let key: Key
    /// The file system that it is in.
    let tree: any FileTree

    init(_ path: String, in tree: any FileTree) {
        self.path = path
        self.tree = tree
        key = Key(absolute: path)
        name = String(key.name)
    }
}
