// Making many changes durable with one call for each file system instead of one for each file.

internal import CSystem
internal import BackstopCore
internal import Glibc
internal import Synchronization

/// The file systems that were changed and not synced. A descriptor is opened on each before its first file is written and kept, because
/// syncfs reports write errors that happened since the descriptor was opened (Linux 5.8 and later).
final class UnsyncedFileSystems: Sendable {
    private struct State {
        /// By device; -1 for a file system whose syncfs is not trusted.
        var descriptors: [dev_t: Int32] = [:]
        /// Changed files and folders on file systems that are not trusted.
        var paths: Set<String> = []
        /// A lost write is reported once by the kernel, so the failure is kept: what was written before it is never called durable.
        var failure: BackupError?
    }

    private let state = Mutex(State())

    deinit { state.withLock { for descriptor in $0.descriptors.values where descriptor >= 0 { close(descriptor) } } }

    /// Called before an open file is written. True when `sync` will make it durable; false when its file system wants an fsync of each file.
    func take(_ descriptor: Int32, folder: String) -> Bool {
        var status = FileStatus()
        guard fstat(descriptor, &status) == 0 else { return false }
        return take(status.st_dev, folder)
    }

    /// Notes that something at `path` changed; `folder` is on the same file system.
    func note(_ path: String, folder: String) {
        var status = FileStatus()
        if fileStatus(folder, follow: true, &status) == 0, take(status.st_dev, folder) { return }
        state.withLock { _ = $0.paths.insert(path) }
    }

    private func take(_ device: dev_t, _ folder: String) -> Bool {
        guard Self.kernelReportsErrors else { return false }
        return state.withLock { state in
            if let known = state.descriptors[device] { return known >= 0 }
            var opened = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
            if opened >= 0, !Self.isTrusted(opened) {
                close(opened)
                opened = -1
            }
            state.descriptors[device] = opened
            return opened >= 0
        }
    }

    func sync() throws(BackupError) {
        let (descriptors, paths, failure) = state.withLock { ($0.descriptors.values.filter { $0 >= 0 }, $0.paths, $0.failure) }
        if let failure { throw failure }
        do throws(BackupError) {
            for path in paths { try syncPath(path) }
            for descriptor in descriptors where backstop_syncfs(descriptor) != 0 {
                throw systemError("sync the file system of", "files written", otherwise: .fileWrite)
            }
        } catch {
            state.withLock { $0.failure = error }
            throw error
        }
        state.withLock { $0.paths.subtract(paths) }
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

/// fsync of a file or folder; one that is gone needs none.
func syncPath(_ path: String) throws(BackupError) {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    if descriptor < 0 {
        if errno == ENOENT || errno == ENOTDIR { return }
        throw systemError("open", path)
    }
    defer { close(descriptor) }
    // Some network file systems know no fsync of a folder and say EINVAL: their names are durable at once.
    if fsync(descriptor) != 0 && errno != EINVAL { throw systemError("sync", path, otherwise: .fileWrite) }
}
