import BackstopDrivers
import Synchronization

@testable import BackstopCommands
@testable import BackstopCore

/// A file that has other bytes each time that it is opened, or is another file after it was read. pg_control stays as it is.
final class ChangingFile: FileTree {
    private let contents: [[UInt8]]
    /// Seconds that are added to its time after the first look.
    private let drift: Int64
    private let control: [UInt8]
    private let opens = Mutex(0)
    private let looks = Mutex(0)

    /// `contents`: of one opening after the other; the last stays.
    init(_ contents: [[UInt8]], drift: Int64 = 0, control: [UInt8] = []) {
        (self.contents, self.drift, self.control) = (contents, drift, control)
    }

    /// How often it was opened, besides pg_control.
    var opened: Int { opens.withLock { $0 } }

    var capabilities: Capabilities { [] }
    var location: String { "test" }
    func open(_ key: Key, range: Range<UInt64>?) async throws(BackupError) -> any ByteSource & ~Copyable {
        let isControl = key.path == ClusterFiles.controlName
        let number = opens.withLock {
            $0 += isControl ? 0 : 1
            return $0 - 1
        }
        let bytes = isControl ? control : contents[min(number, contents.count - 1)]
        return BytesSource(range.map { Array(bytes.prefix(Int($0.upperBound)).dropFirst(Int($0.lowerBound))) } ?? bytes)
    }
    func stat(_ key: Key) async throws(BackupError) -> Entry? {
        let number = looks.withLock {
            $0 += 1
            return $0 - 1
        }
        return Entry(key: key, kind: .file, size: UInt64(contents[0].count), modified: 1000 + (number > 0 ? drift : 0))
    }
    func put<Source: ByteSource & ~Copyable>(
        _ key: Key, from source: inout Source, _ options: PutOptions
    ) async throws(BackupError) -> Entry { throw BackupError(.unsupported, "put") }
    func list(_ prefix: Key, _ depth: Depth, _ visit: (Entry) throws(BackupError) -> Void) async throws(BackupError) {}
    func remove(_ key: Key) async throws(BackupError) {}
    func sync(_ prefix: Key) async throws(BackupError) {}
    func makeDirectory(_ key: Key, _ attributes: Attributes) async throws(BackupError) {}
    func removeDirectory(_ key: Key) async throws(BackupError) {}
    func link(_ key: Key, to target: String, _ kind: LinkKind) async throws(BackupError) {}
    func setAttributes(_ key: Key, _ attributes: Attributes) async throws(BackupError) {}
}
