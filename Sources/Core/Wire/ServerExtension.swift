// What a server of the protocol may do besides keeping objects.

/// `serve` has it on the host of a cluster; the drivers of third parties do without.
public protocol ServerExtension: AnyObject {
    /// The chain that the bytes of an object go through before they are sent, as the request `open` says.
    func chain(_ call: JSON) throws(BackupError) -> any ServedChain

    /// Answers a request that is none of a storage; nil when there is no such request. `entry` sends what comes before the answer.
    func answer(_ request: Request, _ call: JSON, entry: (JSON) throws(BackupError) -> Void) async throws(BackupError) -> JSON?
}

/// A chain with steps that find something.
public protocol ServedChain: AnyObject {
    var chain: Chain { get }
    /// Members of the end, to be asked for after the last byte.
    var findings: [String: JSON] { get }
}

/// What a conversation opened.
public struct ServedStorage {
    /// A `FileTree` gets the requests of file trees too.
    public var storage: any Storage
    /// nil: steps, and requests that are none of a storage, are `.unsupported`.
    public var more: (any ServerExtension)?
    /// Told to the client.
    public var encryption: Encryption?
    public init(_ storage: any Storage, _ more: (any ServerExtension)? = nil, encryption: Encryption? = nil) {
        self.storage = storage
        self.more = more
        self.encryption = encryption
    }

    /// The answer to `start`.
    var wire: JSON {
        var members: [String: JSON] = ["location": .string(storage.location), "tree": .bool(storage is any FileTree)]
        if let encryption { members["encryption"] = encryption.wire }
        return .object(members)
    }
}
