// What one side of a conversation may ask the other for (docs/driver-protocol.md): the names that travel, once for both sides.

/// The names of requests (docs/driver-protocol.md).
public enum Request: String, Sendable {
    // Before anything else.
    case hello, start
    // Of any storage.
    case open, put, stat, list, remove, sync
    // Of a file tree.
    case makeDirectory = "mkdir"
    case removeDirectory = "rmdir"
    case link
    case setAttributes = "setattr"
    // Of the host of a cluster.
    case connect, query

    /// nil: there is no such request, or none.
    init?(call: JSON) {
        guard let name = call["op"]?.string, let request = Request(rawValue: name) else { return nil }
        self = request
    }

    /// As it travels.
    public func call(_ members: [String: JSON] = [:]) -> JSON {
        var members = members
        members["op"] = .string(rawValue)
        return .object(members)
    }
}
