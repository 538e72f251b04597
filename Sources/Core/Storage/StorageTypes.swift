// The nouns of storage: key, entry, attributes, put options, capabilities.

/// A name in a storage: a UTF-8 path without leading or trailing `/`, without `.` and `..` parts. The empty key is the root.
public struct Key: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// A text as of `FileName`, because names of files need not be UTF-8.
    public let path: String

    /// Trusts `path`; for names that the program made itself.
    public init(_ path: String) { self.path = path }

    /// Checks a name that came from outside (a manifest, a listing, a user).
    public init(checking path: String) throws(BackupError) {
        let parts = path.pathParts
        if path.utf8.contains(0) || parts.contains(where: { $0.isEmpty || $0 == "." || $0 == ".." }) {
            throw BackupError(
                .corrupt, "'\(path)' is not a path inside a storage",
                hint: "a name may not be absolute, lead outside with '..' or contain empty parts.")
        }
        self.path = path
    }

    /// An absolute path of a host as a key of its whole file system.
    public init(absolute path: String) { self.init(path.droppingBytes(1)) }

    /// The folder that all else is in.
    public static let root = Key("")

    public var description: String { path }
    /// It is the empty path.
    public var isRoot: Bool { path.isEmpty }
    /// The part after the last `/`.
    public var name: Substring { path.utf8.lastIndex(of: UInt8(ascii: "/")).map { path[path.utf8.index(after: $0)...] } ?? path[...] }
    /// The folder that holds it; the root for a name without `/`.
    public var parent: Key { path.utf8.lastIndex(of: UInt8(ascii: "/")).map { Key(String(path[..<$0])) } ?? .root }

    /// What has that name in the folder; `name` may be several parts.
    public static func / (folder: Key, name: some StringProtocol) -> Key {
        folder.path.isEmpty ? Key(String(name)) : Key("\(folder.path)/\(name)")
    }

    // Text compares equal when it looks equal (`é` has two spellings); names of files are bytes.
    public static func == (a: Key, b: Key) -> Bool { a.path.utf8.elementsEqual(b.path.utf8) }

    public func hash(into hasher: inout Hasher) {
        var path = path
        path.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
    }

    /// Byte order, the order of listings and manifests.
    public static func < (a: Key, b: Key) -> Bool { bytewiseLess(a.path, b.path) }
}

/// Owner, mode and time of an entry of a file tree. What is nil is left as it is.
public struct Attributes: Sendable, Equatable {
    /// Permission bits, 0…0o7777.
    public var mode: UInt32?
    /// Names; nil when unknown on this host.
    public var user: String?
    /// Its name; nil when unknown on this host.
    public var group: String?
    /// Modification time, Unix seconds.
    public var modified: Int64?

    public init(mode: UInt32? = nil, user: String? = nil, group: String? = nil, modified: Int64? = nil) {
        self.mode = mode
        self.user = user
        self.group = group
        self.modified = modified
    }
}

/// One thing in a storage.
public struct Entry: Sendable, Equatable {
    /// `special`: a socket, a pipe or a device.
    public enum Kind: String, Sendable { case file, folder, link, special }

    /// Whole, as `open` takes it, not only its last part.
    public var key: Key
    /// A link is not followed: it is `.link`, whatever it leads to.
    public var kind: Kind
    /// Bytes; 0 for anything but a file.
    public var size: UInt64
    /// Unix seconds.
    public var modified: Int64
    /// Only from a file tree.
    public var attributes: Attributes
    /// The text of a symbolic link.
    public var target: String?

    public init(key: Key, kind: Kind, size: UInt64, modified: Int64, attributes: Attributes = Attributes(), target: String? = nil) {
        self.key = key
        self.kind = kind
        self.size = size
        self.modified = modified
        self.attributes = attributes
        self.target = target
    }
}

/// When an object survives a power failure.
public enum Durability: Sendable {
    /// When `put` returns the object survives a power failure.
    case now
    /// It is visible when `put` returns but survives a power failure only after `sync` of a folder above it.
    case bySync
    /// It is visible when `put` returns, and nobody minds when a power failure takes it.
    case never
}

/// How an object is put.
public struct PutOptions: Sendable {
    /// When the object survives a power failure.
    public var durability = Durability.now
    /// True: fails with `.alreadyExists` when the key exists. Needs `Capabilities.putIfAbsent`.
    public var ifAbsent = false
    /// Only file trees use them.
    public var attributes = Attributes()
    /// Only file trees of this host: bytes of the whole file, of which what the source does not give is a hole. nil: as many as the source gives.
    public var length: UInt64?

    public init(_ durability: Durability = .now, ifAbsent: Bool = false, attributes: Attributes = Attributes()) {
        self.durability = durability
        self.ifAbsent = ifAbsent
        self.attributes = attributes
    }
}

/// How far a listing goes.
public enum Depth: Sendable, Equatable {
    /// Only what is directly in the folder.
    case folder
    /// Of that, only what has a name with this beginning.
    case names(beginningWith: String)
    /// Everything below it.
    case all

    /// Whether something that is directly in the folder is listed.
    public func includes(_ key: Key) -> Bool {
        if case .names(let beginning) = self { key.name.hasBytes(beginning) } else { true }
    }
}

/// What was begun to be put and is neither finished nor given up: it takes room, and no listing of objects shows it.
public struct UnfinishedUpload: Sendable {
    /// What it would have become.
    public var key: Key
    /// The storage's own name for it.
    public var id: String
    /// Unix seconds.
    public var begun: Int64
    public init(key: Key, id: String, begun: Int64) {
        self.key = key
        self.id = id
        self.begun = begun
    }
}

/// A text that names another file, or a second name of the same one.
public enum LinkKind: String, Sendable { case symbolic, hard }

/// What a storage can do beyond the contract, asked once when a command plans its work.
public struct Capabilities: OptionSet, Sendable {
    public let rawValue: UInt32
    public init(rawValue: UInt32) { self.rawValue = rawValue }

    /// `PutOptions.ifAbsent` is kept, whoever else puts at the same moment.
    public static let putIfAbsent = Capabilities(rawValue: 1)
    /// What was replaced or removed can be read as of a time (`repo-target-time`).
    public static let versions = Capabilities(rawValue: 2)
    /// `FileTree.link` makes symbolic ones.
    public static let symbolicLinks = Capabilities(rawValue: 4)
    /// `FileTree.link` makes hard ones.
    public static let hardLinks = Capabilities(rawValue: 8)
}
