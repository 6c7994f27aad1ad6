// The body of Human3.6M's 17 joints, as poseformer_lite/skeleton.py has it.

export const JOINTS = [
  "Hip", "RHip", "RKnee", "RFoot", "LHip", "LKnee", "LFoot", "Spine", "Thorax", "Neck/Nose", "Head",
  "LShoulder", "LElbow", "LWrist", "RShoulder", "RElbow", "RWrist",
];
export const PARENTS = [-1, 0, 1, 2, 0, 4, 5, 0, 7, 8, 9, 8, 11, 12, 8, 14, 15];
export const BONES = PARENTS.flatMap((parent, child) => (parent < 0 ? [] : [[parent, child]]));

/** What people call a joint: "right wrist". */
export const JOINT_NAMES = JOINTS.map((name) =>
  name.replace(/^R(?=[A-Z])/, "right ").replace(/^L(?=[A-Z])/, "left ").replace("Neck/Nose", "neck").toLowerCase(),
);

/** "left", "right" or "middle". */
export const side = (joint) => (/^L[A-Z]/.test(JOINTS[joint]) ? "left" : /^R[A-Z]/.test(JOINTS[joint]) ? "right" : "middle");
