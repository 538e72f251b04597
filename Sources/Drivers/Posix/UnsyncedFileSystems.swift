// Making many files durable with one call for each file system instead of one for each file.

internal import CSystem
internal import BackstopCore
internal import Glibc
internal import Synchronization

/// The file systems that hold files not yet synced. A descriptor is opened on each before its first file is complete, because syncfs
/// reports write errors that happened since the descriptor was opened (Linux 5.8 and later).
final class UnsyncedFileSystems: Sendable {
    private let descriptors = Mutex<[dev_t: Int32]>([:])

    deinit { descriptors.withLock { for descriptor in $0.values where descriptor >= 0 { close(descriptor) } } }

    /// True when the open file will be made durable by `sync`; false when its file system wants an fsync of each file.
    func take(_ descriptor: Int32, folder: String) -> Bool {
        var status = FileStatus()
        guard Self.kernelReportsErrors, fstat(descriptor, &status) == 0 else { return false }
        return take(status.st_dev) { open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
    }

    /// The same for the names in a folder.
    func take(folder: String) -> Bool {
        var status = FileStatus()
        guard Self.kernelReportsErrors, fileStatus(folder, follow: true, &status) == 0 else { return false }
        return take(status.st_dev) { open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
    }

    private func take(_ device: dev_t, _ open: () -> Int32) -> Bool {
        descriptors.withLock { descriptors in
            if let known = descriptors[device] { return known >= 0 }
            var opened = open()
            if opened >= 0, !Self.isTrusted(opened) {
                close(opened)
                opened = -1
            }
            descriptors[device] = opened
            return opened >= 0
        }
    }

    func sync() throws(BackupError) {
        let pending = descriptors.withLock { descriptors in
            defer { descriptors = [:] }
            return descriptors.values.filter { $0 >= 0 }
        }
        defer { for descriptor in pending { close(descriptor) } }
        for descriptor in pending where backstop_syncfs(descriptor) != 0 {
            throw systemError("sync the file system of", "files written")
        }
    }

    private static let kernelReportsErrors: Bool = {
        var names = utsname()
        uname(&names)
        let release = withUnsafeBytes(of: &names.release) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        let numbers = release.split { !$0.isNumber }.prefix(2).compactMap { Int($0) }
        return numbers.count == 2 && (numbers[0], numbers[1]) >= (5, 8)
    }()

    /// Local file systems whose syncfs is known to bring all data to the disk: ext4, XFS, Btrfs, F2FS, ZFS, tmpfs.
    private static func isTrusted(_ descriptor: Int32) -> Bool {
        [0xEF53, 0x5846_5342, 0x9123_683E, 0xF2F5_2010, 0x2FC1_2FC1, 0x0102_1994].contains(backstop_file_system(descriptor))
    }
}
