// The reference implementation of the FileTree contract, in memory. For tests, not for users.

public import BackstopCore
import Synchronization

/// Files, folders and links in a dictionary, gone with the process.
public final class MemoryTree: FileTree {
    private struct Node {
        var kind: Entry.Kind
        var bytes: [UInt8] = []
        var target: String?
        var attributes = Attributes(mode: 0o640, user: "memory", group: "memory", modified: unixNow())

        mutating func set(_ wanted: Attributes) {
            attributes.mode = wanted.mode ?? attributes.mode
            attributes.user = wanted.user ?? attributes.user
            attributes.group = wanted.group ?? attributes.group
            attributes.modified = wanted.modified ?? attributes.modified
        }
    }

    private let nodes = Mutex<[Key: Node]>([:])

    public init() {}

    public var capabilities: Capabilities { [.putIfAbsent, .symbolicLinks, .hardLinks] }
    public var location: String { "memory" }

    public func open(_ key: Key, range: Range<UInt64>?) async throws(BackupError) -> any ByteSource & ~Copyable {
        guard let node = nodes.withLock({ $0[key] }) else { throw missing(key) }
        return MemorySource(node.bytes, range)
    }

    public func put<Source: ByteSource & ~Copyable>(
        _ key: Key, from source: inout Source, _ options: PutOptions
    ) async throws(BackupError) -> Entry {
        var node = Node(kind: .file, bytes: try await source.readAll(limit: .max))
        node.set(options.attributes)
        guard add(key, node, replacing: !options.ifAbsent) else { throw BackupError(.alreadyExists, "'\(key)' exists in \(location)") }
        return entry(key, node)
    }

    public func stat(_ key: Key) async throws(BackupError) -> Entry? {
        nodes.withLock { $0[key] }.map { entry(key, $0) }
    }

    public func list(_ prefix: Key, _ depth: Depth, _ visit: (Entry) throws(BackupError) -> Void) async throws(BackupError) {
        let nodes = self.nodes.withLock { $0 }
        for (key, node) in nodes {
            guard let child = key.child(of: prefix), depth == .all || child == key, depth.includes(child) else { continue }
            try visit(entry(key, node))
        }
    }

    public func remove(_ key: Key) async throws(BackupError) {
        nodes.withLock { _ = $0.removeValue(forKey: key) }
    }

    public func sync(_ prefix: Key) async throws(BackupError) {}

    public func makeDirectory(_ key: Key, _ attributes: Attributes) async throws(BackupError) {
        var folder = Node(kind: .folder)
        folder.attributes.mode = 0o750
        if add(key, folder, replacing: false) == false, try await stat(key)?.kind != .folder {
            throw BackupError(.alreadyExists, "'\(key)' exists in \(location) and is no folder")
        }
        try await setAttributes(key, attributes)
    }

    public func removeDirectory(_ key: Key) async throws(BackupError) {
        let removed = nodes.withLock { nodes in
            guard let node = nodes[key] else { return true }
            guard node.kind == .folder, !nodes.keys.contains(where: { $0.child(of: key) != nil }) else { return false }
            nodes[key] = nil
            return true
        }
        guard removed else { throw BackupError(.io, "'\(key)' in \(location) is no empty folder") }
    }

    public func link(_ key: Key, to target: String, _ kind: LinkKind) async throws(BackupError) {
        var node = Node(kind: .link, target: target)
        if kind == .hard {
            // Nothing writes into a file, so a copy is as good as the file itself.
            guard let file = nodes.withLock({ $0[Key(target)] }) else { throw missing(Key(target)) }
            node = file
        }
        guard add(key, node, replacing: false) else { throw BackupError(.alreadyExists, "'\(key)' exists in \(location)") }
    }

    public func setAttributes(_ key: Key, _ attributes: Attributes) async throws(BackupError) {
        let found = nodes.withLock { nodes in
            nodes[key]?.set(attributes)
            return nodes[key] != nil
        }
        guard found else { throw missing(key) }
    }

    /// Adds an entry and the folders above it. False when there is one already that shall stay.
    private func add(_ key: Key, _ node: Node, replacing: Bool) -> Bool {
        nodes.withLock { nodes in
            if !replacing && nodes[key] != nil { return false }
            nodes[key] = node
            var folder = key.parent
            while !folder.isRoot && nodes[folder] == nil {
                nodes[folder] = Node(kind: .folder)
                folder = folder.parent
            }
            return true
        }
    }

    private func entry(_ key: Key, _ node: Node) -> Entry {
        Entry(
            key: key, kind: node.kind, size: UInt64(node.bytes.count), modified: node.attributes.modified ?? 0,
            attributes: node.attributes, target: node.target)
    }

    private func missing(_ key: Key) -> BackupError { BackupError(.notFound, "'\(key)' does not exist in \(location)") }
}
