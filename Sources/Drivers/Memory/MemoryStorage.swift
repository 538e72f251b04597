// The reference implementation of the Storage contract, in memory: what every driver must behave like. For tests, not for users.

public import BackstopCore
import Synchronization

/// Objects in a dictionary, gone with the process.
public final class MemoryStorage: Storage {
    private struct Object {
        var bytes: [UInt8]
        var modified: Int64
    }

    private let objects = Mutex<[Key: Object]>([:])

    public init() {}

    public var capabilities: Capabilities { .putIfAbsent }
    public var location: String { "memory" }

    public func open(_ key: Key, range: Range<UInt64>?) async throws(BackupError) -> any ByteSource & ~Copyable {
        guard let bytes = objects.withLock({ $0[key]?.bytes }) else { throw missing(key) }
        return MemorySource(bytes, range)
    }

    public func put<Source: ByteSource & ~Copyable>(
        _ key: Key, from source: inout Source, _ options: PutOptions
    ) async throws(BackupError) -> Entry {
        // All bytes are here before the dictionary learns of them: that is what makes it all or nothing.
        let object = Object(bytes: try await source.readAll(limit: .max), modified: unixNow())
        let stored = objects.withLock { objects in
            if options.ifAbsent && objects[key] != nil { return false }
            objects[key] = object
            return true
        }
        guard stored else { throw BackupError(.alreadyExists, "'\(key)' exists in \(location)") }
        return entry(key, object)
    }

    public func stat(_ key: Key) async throws(BackupError) -> Entry? {
        objects.withLock { $0[key] }.map { entry(key, $0) }
    }

    public func list(_ prefix: Key, _ depth: Depth, _ visit: (Entry) throws(BackupError) -> Void) async throws(BackupError) {
        // A copy, since a visitor may use the storage.
        let objects = self.objects.withLock { $0 }
        var folders: Set<Key> = []
        for (key, object) in objects {
            guard let child = key.child(of: prefix), depth.includes(child) else { continue }
            if depth == .all || child == key {
                try visit(entry(key, object))
            } else if folders.insert(child).inserted {
                try visit(Entry(key: child, kind: .folder, size: 0, modified: 0))
            }
        }
    }

    public func remove(_ key: Key) async throws(BackupError) {
        objects.withLock { _ = $0.removeValue(forKey: key) }
    }

    public func sync(_ prefix: Key) async throws(BackupError) {}

    private func entry(_ key: Key, _ object: Object) -> Entry {
        Entry(key: key, kind: .file, size: UInt64(object.bytes.count), modified: object.modified)
    }

    private func missing(_ key: Key) -> BackupError { BackupError(.notFound, "'\(key)' does not exist in \(location)") }
}

/// The bytes of an object, or a part of them.
struct MemorySource: ByteSource, ~Copyable {
    private let bytes: [UInt8]
    private var position: Int
    private let end: Int

    init(_ bytes: [UInt8], _ range: Range<UInt64>?) {
        self.bytes = bytes
        let range = range ?? 0..<UInt64(bytes.count)
        position = Int(min(range.lowerBound, UInt64(bytes.count)))
        end = Int(min(range.upperBound, UInt64(bytes.count)))
    }

    mutating func read(into out: inout OutputRawSpan) async throws(BackupError) -> Bool {
        let count = min(out.freeCapacity, end - position)
        out.append(contentsOf: bytes, position..<position + count)
        position += count
        return position < end
    }
}

extension Key {
    /// The entry of the folder `folder` in which this key is, or which it is; nil when it is not below the folder.
    func child(of folder: Key) -> Key? {
        let path = path.utf8
        var rest = path[...]
        if !folder.isRoot {
            guard rest.starts(with: folder.path.utf8) else { return nil }
            rest = rest.dropFirst(folder.path.utf8.count)
            guard rest.popFirst() == UInt8(ascii: "/") else { return nil }
        }
        guard !rest.isEmpty else { return nil }
        guard let slash = rest.firstIndex(of: UInt8(ascii: "/")) else { return self }
        return Key(String(self.path[..<slash]))
    }
}
