// Where this program is, for others that start it.

import BackstopCore
import Glibc

enum ProgramPath {
    /// `program`: how it was called. The name counts, since the program behaves by it: a link is not followed as long as it is known where it is.
    static func of(_ program: String) -> String {
        if program.contains("/") { return absolutePath(program) }
        let own = file ?? program
        guard own.split(separator: "/").last != program[...], let folders = getenv("PATH") else { return own }
        let links = String(cString: folders).split(separator: ":").map { absolutePath("\($0)/\(program)") }
        return links.first { isSameFile($0, own) } ?? own
    }

    /// Where links lead to.
    static var file: String? {
        withUnsafeTemporaryAllocation(of: CChar.self, capacity: Int(PATH_MAX)) { buffer in
            let count = readlink("/proc/self/exe", buffer.baseAddress!, buffer.count)
            return count > 0 ? String(decoding: UnsafeRawBufferPointer(start: buffer.baseAddress, count: count), as: UTF8.self) : nil
        }
    }

    private static func isSameFile(_ a: String, _ b: String) -> Bool {
        var (one, other) = (stat(), stat())
        return stat(a, &one) == 0 && stat(b, &other) == 0 && one.st_dev == other.st_dev && one.st_ino == other.st_ino
    }
}
