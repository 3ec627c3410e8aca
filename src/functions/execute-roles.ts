const PLAIN = ['any', 'guests', 'users'];
const WITH_ID = ['user', 'team', 'member', 'label'];
const ALLOWED = 'any, guests, users, user, team, member, label';
const VERIFICATION = ['verified', 'unverified'];
const ID = /^[A-Za-z0-9][\w.-]{0,35}$/;
const MAX_ROLES = 100;
const MAX_TEAM_ROLE = 81;

/** What is wrong with the roles that may execute a function, or null. Rules and texts: management, who may do what. */
export function faultOfExecuteRoles(roles: readonly string[]): string | null {
  if (roles.length > MAX_ROLES) return `You can only provide up to ${MAX_ROLES} roles.`;
  for (const role of roles) {
    const fault = faultOfRole(role);
    if (fault) return fault;
  }
  return null;
}

/** A role is `name`, `name/dimension`, `name:id` or `name:id/dimension`. */
function faultOfRole(role: string): string | null {
  if (role === '*') return 'Wildcard role "*" has been replaced. Use "any" instead.';
  const [, name = '', id, dimension] = /^([^:/]*)(?::([^/]*))?(?:\/(.*))?$/s.exec(role) ?? [];
  if (PLAIN.includes(name)) {
    if (id !== undefined) return `Role "${name}" can not have an ID value.`;
  } else if (WITH_ID.includes(name)) {
    if (!id) return `Role "${name}" must have an ID value.`;
    if (name === 'label' ? !/^[A-Za-z0-9]{1,36}$/.test(id) : !ID.test(id)) {
      return `Role "${name}" identifier value is invalid: ${JSON.stringify(id)}.`;
    }
  } else {
    return `Role "${role}" is not allowed. Must be one of: ${ALLOWED}.`;
  }
  return dimension === undefined ? null : faultOfDimension(name, dimension);
}

function faultOfDimension(name: string, dimension: string): string | null {
  if (name === 'users' || name === 'user') {
    if (VERIFICATION.includes(dimension)) return null;
    return `Role "${name}" dimension value is invalid. Must be one of: ${VERIFICATION.join(', ')}.`;
  }
  if (name !== 'team') return `Role "${name}" can not have a dimension value.`;
  return dimension !== '' && dimension.length <= MAX_TEAM_ROLE
    ? null
    : `Role "team" dimension value is invalid. Must be 1 to ${MAX_TEAM_ROLE} characters.`;
}
