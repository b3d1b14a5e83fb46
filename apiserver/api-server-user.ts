import type { UserInfo } from '../schemas/api.ts';

/** As whom the server looks after its own objects. */
export const apiServerUser: UserInfo = { name: 'system:apiserver', groups: ['system:masters'] };
