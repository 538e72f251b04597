// The host of a cluster, when it is another one: this program serves there, as the user who owns the cluster.

/// Another host on which our program runs, for commands of this one.
public protocol FarHost: Sendable {
    /// For people.
    var name: String { get }

    /// A folder of that host as a file tree; the root of its file system when `path` is empty.
    func tree(_ path: String) -> any SteppingTree

    /// A conversation for questions that are none of a storage, kept for as long as the session lives.
    func session() throws(BackupError) -> any FarSession
}

/// Requests of `serve` besides those of a storage (docs/driver-protocol.md).
public protocol FarSession: AnyObject {
    /// What its end is seen by.
    var descriptor: Int32 { get }

    /// Sends a request and answers its reply. Calls `entry` for each entry that comes before it.
    func ask(_ request: Request, _ members: [String: JSON], entry: (JSON) throws(BackupError) -> Void) throws(BackupError) -> JSON
}

/// A tree that can run steps where the bytes are, so that what travels is checked and compressed already.
public protocol SteppingTree: FileTree {
    /// As `open`, seen through `steps`. What they found is there when the source has ended.
    func open(_ key: Key, range: Range<UInt64>?, through steps: FarSteps) async throws(BackupError) -> any ByteSource & ~Copyable
}

/// Steps in the form of the protocol, and what they found in the last object. Belongs to one worker.
public final class FarSteps {
    /// Members of the request besides those of any `open`.
    public var members: [String: JSON]
    /// Bytes that the steps can make of an object at most.
    public var most: UInt64 = .max
    /// Members of the end.
    public var findings: JSON = .null

    public init(_ members: [String: JSON]) { self.members = members }
}
