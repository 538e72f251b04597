// The nouns of storage in the JSON of the protocol.

extension BackupError {
    /// From a failure frame. A code that is not known here is `.io`: it is not to be tried again.
    public init(wire value: JSON, from peer: String) {
        let code = value["code"]?.string.flatMap(Code.init(rawValue:)) ?? .io
        self.init(code, value["message"]?.string ?? "\(peer) failed without a word", hint: value["hint"]?.string)
    }

    /// The payload of a failure frame, which has no cause.
    public var wire: JSON {
        .object(["code": .string(code.rawValue), "message": .string(message), "hint": JSON(hint)].filter { $0.value != .null })
    }
}

extension Attributes {
    /// A member that is missing or of another type is nil.
    public init(wire value: JSON) {
        self.init(
            mode: value["mode"]?.int.flatMap { UInt32(exactly: $0) }, user: value["user"]?.string, group: value["group"]?.string,
            modified: value["time"]?.int)
    }

    /// `mode`, `user`, `group` and `time`, those of them that are not nil.
    public var wireMembers: [String: JSON] {
        var members: [String: JSON] = [:]
        if let mode { members["mode"] = .integer(Int64(mode)) }
        if let user { members["user"] = .string(user) }
        if let group { members["group"] = .string(group) }
        if let modified { members["time"] = .integer(modified) }
        return members
    }
}

extension Entry {
    /// nil when a member is missing or of another type, or the key is none.
    public init?(wire value: JSON) {
        guard let key = Key(wire: value["key"]), let kind = Kind(rawValue: value["kind"]?.string ?? "file"),
            let size = value["size"].map({ $0.uint }) ?? 0, let modified = value["modified"].map({ $0.int }) ?? 0
        else { return nil }
        self.init(
            key: key, kind: kind, size: size, modified: modified, attributes: Attributes(wire: value), target: value["target"]?.string)
    }

    /// The member `entry` of an answer, or an entry of a listing (docs/driver-protocol.md).
    public var wire: JSON {
        var members = attributes.wireMembers
        members["key"] = .string(key.path)
        members["kind"] = .string(kind.rawValue)
        members["size"] = JSON(size)
        members["modified"] = .integer(modified)
        if let target { members["target"] = .string(target) }
        return .object(members)
    }
}

extension Encryption {
    /// nil when a member is missing.
    public init?(wire value: JSON) {
        guard let cipher = value["cipher"]?.string, let passphrase = value["passphrase"]?.string else { return nil }
        self.init(cipher: cipher, passphrase: passphrase)
    }

    /// With the passphrase in it: never for a log.
    public var wire: JSON { .object(["cipher": .string(cipher), "passphrase": .string(passphrase)]) }
}

extension Key {
    /// nil when it is no text, or a path that leads outside. The empty text is the root.
    init?(wire value: JSON?) {
        guard let path = value?.string else { return nil }
        if path.isEmpty {
            self = .root
        } else if let key = try? Key(checking: path) {
            self = key
        } else {
            return nil
        }
    }
}

extension Key {
    /// As `wire`, and nil too when a part is longer than any file system takes.
    init?(served value: JSON?) {
        guard let key = Key(wire: value), key.path.utf8.split(separator: UInt8(ascii: "/")).allSatisfy({ $0.count <= 255 }) else {
            return nil
        }
        self = key
    }
}

extension Depth {
    init?(wire value: JSON) {
        switch value["depth"]?.string {
        case "all": self = .all
        case "folder": self = value["beginning"]?.string.map { .names(beginningWith: $0) } ?? .folder
        default: return nil
        }
    }

    /// `depth` and `beginning` of a listing (docs/driver-protocol.md).
    public var wireMembers: [String: JSON] {
        switch self {
        case .folder: ["depth": "folder"].mapValues(JSON.string)
        case .names(let beginning): ["depth": "folder", "beginning": beginning].mapValues(JSON.string)
        case .all: ["depth": "all"].mapValues(JSON.string)
        }
    }
}

extension PutOptions {
    /// Without members: durable when `put` returns, over what is there.
    public init(wire value: JSON) {
        let waits = value["durable"]?.bool == false
        let durability: Durability = !waits ? .now : value["transient"]?.bool == true ? .never : .bySync
        self.init(durability, ifAbsent: value["ifAbsent"]?.bool ?? false, attributes: Attributes(wire: value))
    }

    /// The member `options` of a put, which has no `length`.
    public var wire: JSON {
        var members = attributes.wireMembers
        members["durable"] = .bool(durability == .now)
        // For who does not know the word it is durable by sync, which is more than was asked for.
        if durability == .never { members["transient"] = .bool(true) }
        members["ifAbsent"] = .bool(ifAbsent)
        return .object(members)
    }
}

extension Capabilities {
    /// What a driver may say in the features of its hello, besides what the contract asks of all.
    private static let names: [(name: String, capability: Capabilities)] = [("putIfAbsent", .putIfAbsent)]

    /// Words that are not known here are passed over.
    public init(wire value: JSON?) {
        let features = Set(value?.array?.compactMap(\.string) ?? [])
        self = Self.names.reduce(into: []) { if features.contains($1.name) { $0.insert($1.capability) } }
    }

    /// The member `features` of a hello; what the protocol has no word for is left out.
    public var wire: JSON { .array(Self.names.filter { contains($0.capability) }.map { .string($0.name) }) }
}
